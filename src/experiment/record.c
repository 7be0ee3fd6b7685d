#include "experiment/record.h"

/* Labels have no unit; CF wants "1" for pure numbers only. */
#define LABEL(member, doc) {#member, FIELD_STRING, offsetof(struct record, member), 0, "", doc}
#define COUNT(member, doc) {#member, FIELD_COUNT, offsetof(struct record, member), 0, "1", doc}
#define REAL(member, doc) {#member, FIELD_REAL, offsetof(struct record, member), 0, "1", doc}
#define TIMING(member, unit, doc) {#member, FIELD_REAL, offsetof(struct record, member), 1, unit, doc}

const struct field record_fields[] = {
    LABEL(target, "Name of the target distribution, as the experiment's file gives it."),
    LABEL(sampler, "Name of the sampler."),
    LABEL(schedule, "Name of the noise schedule."),
    REAL(c0, "Constant c0 of the noise schedule, which sets the smallest noise level, T^-c0 for li-yan."),
    REAL(c1, "Constant c1 of the noise schedule, the factor of log(T)/T in the step size."),
    COUNT(dimension, "Dimension d of the space in which the target lives."),
    COUNT(steps, "Number T of noise levels; the sampler makes T - 1 steps."),
    REAL(step_size, "Step size h = c1 log(T)/T, the quantity that rates are powers of."),
    COUNT(score_evaluations, "Number of score evaluations of the whole run: T - 1 times those of a step."),
    LABEL(law, "Method by which the sampler's output law was computed; \"composed\" when d > 1 joins factors."),
    REAL(tv, "Total variation distance between p, the law of X_1, and q, the law of Y_1."),
    REAL(tv_error, "Radius about tv within which the true value lies."),
    REAL(kl_p_q, "Kullback-Leibler divergence KL(p || q) in nats."),
    REAL(kl_p_q_error, "Radius about kl_p_q within which the true value lies, in nats."),
    REAL(kl_q_p, "Kullback-Leibler divergence KL(q || p) in nats."),
    REAL(kl_q_p_error, "Radius about kl_q_p within which the true value lies, in nats."),
    REAL(chi2_q_p, "Chi-squared divergence chi2(q || p), the integral of (q - p)^2/p."),
    REAL(chi2_q_p_error, "Radius about chi2_q_p within which the true value lies."),
    REAL(hellinger2, "Squared Hellinger distance between p and q."),
    REAL(hellinger2_error, "Radius about hellinger2 within which the true value lies."),
    REAL(mass_defect, "Largest |integral of q - 1| among the factors, a check of the quadrature."),
    TIMING(seconds, "s", "Wall time of the measurement."),
    {NULL, FIELD_REAL, 0, 0, NULL, NULL},
};
