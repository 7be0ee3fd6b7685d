#include "experiment/record.h"

#include <stdio.h>
#include <string.h>

/* Labels have no unit; CF wants "1" for pure numbers only. */
#define LABEL(member, doc) {#member, FIELD_STRING, offsetof(struct record, member), 0, "", doc}
#define COUNT(member, doc) {#member, FIELD_COUNT, offsetof(struct record, member), 0, "1", doc}
#define REAL(member, doc) {#member, FIELD_REAL, offsetof(struct record, member), 0, "1", doc}
#define TIMING(member, unit, doc) {#member, FIELD_REAL, offsetof(struct record, member), 1, unit, doc}

const struct field record_fields[] = {
    LABEL(target, "Name of the target distribution, as the experiment's file gives it."),
    LABEL(sampler, "Name of the sampler."),
    LABEL(score_error, "Shape of the score error that the sampler sees; \"none\" for exact scores."),
    LABEL(score_error_spread, "How the score error is spread over coordinates: all, one, diagonal, or none."),
    LABEL(score_error_profile,
          "How the size of the score error goes with the noise level; \"none\" without an error."),
    REAL(score_error_size,
         "Size eps_score: the square root of the average over steps of E|error(X_t)|^2; 0 without one."),
    REAL(score_error_growth, "Exponent g of a control, whose error is really eps_score T^g; 0 keeps the assumption."),
    REAL(score_error_roughness, "Wave number omega of the score error over the marginal's standard deviation, or 0."),
    REAL(score_error_probability, "Probability delta of the region that holds the score error, or 0."),
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
    REAL(error_effect, "Total variation distance between the laws of Y_1 with and without the score error."),
    REAL(error_effect_error, "Radius about error_effect within which the true value lies."),
    REAL(clip_probability, "Bound on the probability that a clip taken as inactive acts in some step."),
    REAL(mass_defect, "Largest |integral of q - 1| among the factors, a check of the quadrature."),
    COUNT(chains, "Number of chains simulated, and of pairs of paths; 0 for exact laws."),
    COUNT(seed, "Seed of the chains' random numbers; 0 for exact laws."),
#define ESTIMATOR(member, quantity, role, method, doc) \
    {#member, FIELD_REAL, offsetof(struct record, estimates.member.value), 0, "1", doc "."}, \
    {#member "_se", FIELD_REAL, offsetof(struct record, estimates.member.error), 0, "1", \
     "Standard error of " #member "."},
#include "sample/estimators.def"
#undef ESTIMATOR
    {"effective_paths", FIELD_REAL, offsetof(struct record, estimates.effective), 0, "1",
     "Effective number of the paths' weights over their number."},
    TIMING(seconds, "s", "Wall time of the measurement."),
    {NULL, FIELD_REAL, 0, 0, NULL, NULL},
};

void record_set_score_error(struct record *row, const struct score_error *error)
{
    int exact = error->shape == NULL;
    (void)snprintf(row->score_error, sizeof row->score_error, "%s", score_error_name(error));
    (void)snprintf(row->score_error_spread, sizeof row->score_error_spread, "%s",
                   exact ? "none" : error_spread_names[error->spread]);
    (void)snprintf(row->score_error_profile, sizeof row->score_error_profile, "%s",
                   exact ? "none" : error->profile->name);
    row->score_error_size = exact ? 0.0 : error->size;
    row->score_error_growth = exact ? 0.0 : error->growth;
    row->score_error_roughness = exact ? 0.0 : error->roughness;
    row->score_error_probability = exact ? 0.0 : error->probability;
}

int record_has_score_error(const struct record *row, const struct score_error *error)
{
    struct record wanted = {.dimension = 0};
    record_set_score_error(&wanted, error);
    return strcmp(row->score_error, wanted.score_error) == 0
           && strcmp(row->score_error_spread, wanted.score_error_spread) == 0
           && strcmp(row->score_error_profile, wanted.score_error_profile) == 0
           && row->score_error_size == wanted.score_error_size && row->score_error_growth == wanted.score_error_growth
           && row->score_error_roughness == wanted.score_error_roughness
           && row->score_error_probability == wanted.score_error_probability;
}

void record_label_score_error(const struct score_error *error, char *text, size_t size)
{
    char roughness[40] = "", probability[40] = "", growth[40] = "";
    if (error->shape == NULL) {
        (void)snprintf(text, size, "none");
        return;
    }
    int uniform = strcmp(error->profile->name, "uniform") == 0;
    if (error->shape->parameters & ERROR_ROUGHNESS)
        (void)snprintf(roughness, sizeof roughness, " w=%.6g", error->roughness);
    if (error->shape->parameters & ERROR_PROBABILITY)
        (void)snprintf(probability, sizeof probability, " p=%.6g", error->probability);
    if (error->growth != 0.0)
        (void)snprintf(growth, sizeof growth, " growth=%.6g", error->growth);
    (void)snprintf(text, size, "%s %.6g%s%s %s%s%s%s", error->shape->name, error->size, roughness, probability,
                   error_spread_names[error->spread], uniform ? "" : " ", uniform ? "" : error->profile->name,
                   growth);
}
