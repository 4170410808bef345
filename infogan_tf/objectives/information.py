"""The mutual information between codes and images, a term of both players: what makes a GAN an InfoGAN."""

import keras
import tensorflow as tf

from infogan_tf.objectives.term import Term


@keras.saving.register_keras_serializable(package="infogan_tf")
class Information(Term):
    """-lambda L_I, with L_I = E[log Q(c|x)] + H(c) in nats: Chen et al. 2016 (arXiv:1606.03657), equations 5 and 6.

    A code of weight 0 is the paper's baseline, a regular GAN: Q's head still learns to read the code, so that L_I is a
    fair reading, but no gradient of it reaches the generator or the trunk.

    Args:
        lambda_info: The weight of L_I, from 0.
        lambda_cat: The weight for categorical and Bernoulli codes; None is lambda_info.
        lambda_cont: The weight for continuous codes; None is lambda_info.
        lambda_warmup: How many steps the weights take to rise from 0, in a straight line.
    """

    NEEDS = ("q_head",)

    def __init__(
        self,
        lambda_info: float = 1.0,
        lambda_cat: float | None = None,
        lambda_cont: float | None = None,
        lambda_warmup: int = 0,
        **kwargs,
    ):
        super().__init__(lambda_info, **kwargs)
        self.weights_of_kinds = {True: lambda_cat, False: lambda_cont}
        self.lambda_warmup = lambda_warmup

    def prepare(self, model):  # noqa: D102
        self.codes = {code.name: code for code in model.layout.read_codes}
        kinds = self.weights_of_kinds
        self.code_weights = {
            name: self.weight if kinds[code.discrete] is None else kinds[code.discrete]
            for name, code in self.codes.items()
        }

    def d_term(self, model, batch):
        """-lambda L_I summed over codes; for those of weight 0 -E[log Q(c|x)], which trains Q's head alone."""
        return self.added("d", model, batch)[0]

    def g_term(self, model, batch):
        """The sum over codes of -lambda L_I."""
        return self.added("g", model, batch)[0]

    def added(self, player, model, batch):  # noqa: D102
        if player == "d":
            log_probs = self._log_probs(model, batch)
            return self._loss(model, log_probs) + self._reading_loss(log_probs), self._figures(model, log_probs)
        if not any(self.code_weights.values()):
            return tf.constant(0.0), {}
        with keras.StatelessScope():  # as in the generator's own pass, which records no statistics of D
            return self._loss(model, self._log_probs(model, batch)), {}

    def logged(self):  # noqa: D102
        return "q_loss", "mutual_info", *(f"mutual_info/{name}" for name in self.codes)

    def evaluated(self, model, latents, fake_features):  # noqa: D102
        parameters = model.q_head(fake_features, training=False)
        return self._figures(model, model.layout.log_prob(parameters, latents))

    def warning(self, logs, step):
        """Which codes the images do not show, once their weights have risen; a weight of 0 asks for nothing."""
        if step <= self.lambda_warmup:
            return ""
        found = {name: logs[f"mutual_info/{name}"] for name, weight in self.code_weights.items() if weight}
        dead = {name: value for name, value in found.items() if self.codes[name].is_dead(value)}
        if not dead:
            return ""
        shown = ", ".join(f"L_I({name}) = {value:.3f} nats" for name, value in dead.items())
        return (
            f"Nothing in the images tells of {' and '.join(dead)} ({shown}). Try a higher --lambda_info (or "
            "--lambda_cat, --lambda_cont), less noise in --latents, or more steps."
        )

    def get_config(self):  # noqa: D102
        config, kinds = super().get_config(), self.weights_of_kinds
        lambdas = {"lambda_info": config.pop("weight"), "lambda_cat": kinds[True], "lambda_cont": kinds[False]}
        return {**config, **lambdas, "lambda_warmup": self.lambda_warmup}

    def _log_probs(self, model, batch):
        """log Q(c|x) by code, [B] each; a code of weight 0 is read from features that pass no gradient on."""
        log_probs = {}
        weighted = [name for name, weight in self.code_weights.items() if weight]
        unweighted = [name for name, weight in self.code_weights.items() if not weight]
        for names, features in ((weighted, batch.fake_features), (unweighted, tf.stop_gradient(batch.fake_features))):
            if names:
                found = model.layout.log_prob(model.q_head(features, training=True), batch.latents)
                log_probs |= {name: found[name] for name in names}
        return log_probs

    def _loss(self, model, log_probs):
        """-lambda L_I summed over codes."""
        bounds = model.layout.mutual_info(log_probs)
        loss = -sum(self.code_weights[name] * bound for name, bound in bounds.items())
        if self.lambda_warmup:
            loss *= tf.minimum(1.0, tf.cast(model.step, tf.float32) / self.lambda_warmup)
        return loss

    def _reading_loss(self, log_probs):
        """-E[log Q(c|x)] summed over the codes of weight 0: it trains Q's head to read them, and nothing else."""
        unweighted = [value for name, value in log_probs.items() if not self.code_weights[name]]
        return -sum((tf.reduce_mean(value) for value in unweighted), tf.constant(0.0))

    @staticmethod
    def _figures(model, log_probs):
        """What is logged of log Q(c|x), scalars by name.

        Sums are one operation each: TensorFlow's graph optimizer may reorder a chain of additions, not always alike in
        another process, and a resumed run is to log the same digits.
        """
        bounds = model.layout.mutual_info(log_probs)
        return {
            "q_loss": -tf.reduce_sum(tf.stack([tf.reduce_mean(value) for value in log_probs.values()])),
            "mutual_info": tf.reduce_sum(tf.stack(list(bounds.values()))),
            **{f"mutual_info/{name}": bound for name, bound in bounds.items()},
        }
