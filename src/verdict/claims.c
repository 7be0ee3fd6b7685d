#include "verdict/claims.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "verdict/atlas.h"
#include "verdict/exponents.h"
#include "verdict/judge.h"

/* A floor under TV means that T(d, eps) does not exist below it: no power of 1/eps bounds it. */
static void judge_floor(const struct evidence *evidence, size_t target, size_t sampler, struct finding *out)
{
    const struct tv_fall fall = tv_fall(evidence, target, sampler);
    if (!isfinite(fall.power))
        return;
    struct judgement judgement = {.condition = {{OUTCOME_REFUTED, "refuted", "the power of h with which it falls",
                                                 BELOW, FLOOR_SLOPE, fall.power}},
                                  .conditions = 1,
                                  .otherwise = "no floor in sight, which decides nothing"};
    (void)snprintf(judgement.of, sizeof judgement.of, "how TV of %s falls at the largest T measured",
                   evidence->spec.samplers[sampler]->name);
    if (judge_by(out, &judgement, out->outcome) == 0)
        judge_note(out,
                   "TV floor: TV = %.3g at T = %zu (d = %zu) has stopped falling; T(d, eps) does not exist below it",
                   fall.tv, fall.steps, fall.dimension);
}

static const struct regression_words cost_in_accuracy = {"log(T/log T)", "log(1/ε)", "d", "the smallest ε",
                                                         "the smallest d"};
static const struct regression_words cost_in_dimension = {"log(T/log T)", "log d", "ε", "the smallest ε",
                                                          "the smallest d"};

/* Where TV is below its radius, T(d, eps) is known from above only, and so is its growth: enough to support a bound,
 * not to refute it. */
static enum status decide_from_above(const struct evidence *evidence, size_t target, size_t sampler, int in_dimension,
                                     struct finding *out, struct error *error)
{
    struct fit fit;
    struct account account = {.windows = 0};
    enum status status =
        complexity_exponents_told(evidence, target, sampler, COST_FROM_ABOVE, 0, &account, &fit, error);
    struct judgement judgement = {
        .of = "exponent of upper limits on T/log T in 1/eps",
        .exponent = fit.x,
        .bound = out->bound,
        .regression = &cost_in_accuracy,
        .cells = fit.cells,
        .condition = {{OUTCOME_INCONCLUSIVE, "inconclusive", "the half-width of the interval", ABOVE, WIDEST,
                       fit.x.interval},
                      {OUTCOME_NOT_TIGHT, "supported, not tight", "the upper end of the interval", AT_MOST,
                       out->bound + BAND, fit.x.value + fit.x.interval}},
        .conditions = 2,
        .otherwise = "inconclusive"};
    judgement_decide(&judgement, OUTCOME_INCONCLUSIVE);
    if (status == STATUS_OK && !in_dimension && fit.ok && judgement.outcome == OUTCOME_NOT_TIGHT) {
        account_judgement(&account, &judgement);
        account_free(out->account); /* of the window that holds too little */
        account_append(out->account, &account);
        out->outcome = judgement.outcome;
        out->measured = 1;
        out->value = fit.x.value;
        out->interval = fit.x.interval;
        out->used = fit.weighed_x;
        judge_note(out, "from upper limits on T: TV is below its radius");
    }
    account_free(&account);
    return status;
}

static enum status decide_exponent(const struct evidence *evidence, const struct claim *claim, size_t target,
                                   int in_dimension, struct finding *out, struct error *error)
{
    size_t sampler;
    struct fit fit, raw;
    if (!judge_needs(evidence, claim->sampler, &sampler, out))
        return STATUS_OK;
    if (evidence->spec.accuracy_count == 0) {
        judge_inconclusive(out, "the experiment has no accuracies");
        return STATUS_OK;
    }
    struct unused unused = complexity_unused(evidence, target, sampler);
    out->censored = unused.beyond;
    out->at_start = unused.at_start;
    if (unused.open > 0)
        judge_note(out, "%zu cell%s unresolved", unused.open, unused.open == 1 ? "" : "s");
    enum status status =
        complexity_exponents_told(evidence, target, sampler, COST_LOG_FREE, in_dimension, out->account, &fit, error);
    if (status == STATUS_OK)
        status = complexity_exponents(evidence, target, sampler, COST_STEPS, &raw, error);
    if (status != STATUS_OK)
        return status;
    out->used = !fit.ok ? fit.cells : in_dimension ? fit.weighed_d : fit.weighed_x;
    if (fit.ok && (fit.has_d || !in_dimension)) {
        struct exponent log_free = in_dimension ? fit.d : fit.x, in_T = in_dimension ? raw.d : raw.x;
        char of[120];
        (void)snprintf(of, sizeof of, "%s, %s", claim->statistic, claim->sampler);
        const struct judged judged = {of, in_dimension ? &cost_in_dimension : &cost_in_accuracy, out->used};
        judge_exponent_upper(out, &judged, &log_free, claim->bound);
        out->has_raw = raw.ok;
        out->raw_value = in_T.value;
        out->raw_interval = in_T.interval;
    } else {
        status = decide_from_above(evidence, target, sampler, in_dimension, out, error);
        if (out->measured == 0) {
            judge_inconclusive(out, fit.ok ? "only one dimension in the window" : fit.reason);
            judge_note(out, fit.ok ? "add dimensions"
                            : out->censored > 0
                                ? "add accuracies <= 0.1 that max_steps reaches, or a larger max_steps"
                                : "add accuracies <= 0.1, smaller ones");
        }
    }
    if (!in_dimension)
        judge_floor(evidence, target, sampler, out);
    return STATUS_OK;
}

static enum status decide_accuracy(const struct evidence *evidence, const struct claim *claim, size_t target,
                                   struct finding *out, struct error *error)
{
    return decide_exponent(evidence, claim, target, 0, out, error);
}

static enum status decide_dimension(const struct evidence *evidence, const struct claim *claim, size_t target,
                                    struct finding *out, struct error *error)
{
    return decide_exponent(evidence, claim, target, 1, out, error);
}

/* Whether the target is a product of d equal laws on the line, in every dimension. */
static int is_power(const struct evidence *evidence, size_t target)
{
    const struct spec *spec = &evidence->spec;
    int power = target_is_loaded(&spec->targets[target]);
    for (size_t i = 0; i < spec->dimension_count && power; i++) {
        struct factor_list factors;
        struct error ignored;
        power = target_factors(&spec->targets[target], spec->dimensions[i], &factors, &ignored) == STATUS_OK
                && factors.count == 1 && factors.group[0].factor.dimension == 1;
        factor_list_free(&factors);
    }
    return power;
}

/* The rate must be at least 2 and the power of d at most 1; both are upper bounds on KL, judged as such. */
static enum status decide_kl(const struct evidence *evidence, const struct claim *claim, size_t target,
                             struct finding *out, struct error *error)
{
    static const struct regression_words in_step_size = {"log KL(p‖q)", "log h", "d", "the largest T",
                                                         "the smallest d"};
    static const struct regression_words in_dimension = {"log KL(p‖q)", "log d", "T", "the largest T",
                                                         "the smallest d"};
    size_t sampler;
    struct fit fit;
    if (!judge_needs(evidence, claim->sampler, &sampler, out))
        return STATUS_OK;
    enum status status = divergence_exponents_told(evidence, target, sampler, offsetof(struct record, kl_p_q),
                                                   out->account, &fit, error);
    if (status != STATUS_OK)
        return status;
    out->used = fit.ok ? fit.weighed_x : fit.cells;
    if (!fit.ok) {
        judge_inconclusive(out, fit.reason);
        judge_note(out, "add steps that are powers of two");
        return STATUS_OK;
    }
    judge_exponent_lower(out, &(struct judged){"exponent of KL(p|q) in h", &in_step_size, out->used}, &fit.x,
                         claim->bound);
    if (fit.has_d) {
        struct finding by_dimension = {.claim = claim, .account = out->account};
        judge_exponent_upper(&by_dimension,
                             &(struct judged){"exponent of KL(p|q) in d", &in_dimension, fit.weighed_d}, &fit.d, 1.0);
        if (by_dimension.outcome == OUTCOME_SUPPORTED && is_power(evidence, target))
            judge_note(out,
                       "KL of d equal independent coordinates is d times that of one: its exponent in d, 1, is an "
                       "identity and no evidence");
        else
            judge_note(out, "exponent in d %.3f ± %.3f (bound 1)", fit.d.value, fit.d.interval);
        out->outcome = by_dimension.outcome > out->outcome ? by_dimension.outcome : out->outcome;
    }
    return STATUS_OK;
}

static const struct claim *claim_named(const char *name)
{
    size_t i = 0;
    while (strcmp(claim_at(i)->name, name) != 0)
        i++;
    return claim_at(i);
}

/* A lower or upper limit on T(d, eps), as far as it is known: [low, high], high 0 for "above max_steps". */
static void limits(const struct bracket *bracket, double *low, double *high)
{
    *low = bracket->reach == REACH_FOUND ? (double)bracket->passes : (double)bracket->fails + 1.0;
    *high = bracket->reach == REACH_BEYOND ? HUGE_VAL : (double)bracket->passes;
    if (bracket->certain == 0 || bracket->certain < bracket->fails)
        *low = 0.0;
}

/* The largest accuracy at which `cost` times the accelerated sampler's steps are seen to be at most the other's, with
 * no smaller one at which they are seen to be more; 0 if there is none. */
static double frontier(const struct evidence *evidence, size_t target, size_t fast, size_t slow, size_t dimension,
                       double cost)
{
    const struct spec *spec = &evidence->spec;
    double found = 0.0;
    for (size_t e = spec->accuracy_count; e-- > 0;) {
        double fast_low, fast_high, slow_low, slow_high;
        limits(evidence_complexity(evidence, target, fast, dimension, e), &fast_low, &fast_high);
        limits(evidence_complexity(evidence, target, slow, dimension, e), &slow_low, &slow_high);
        if (cost * (fast_low - 1.0) > slow_high - 1.0)
            break;
        if (cost * (fast_high - 1.0) <= slow_low - 1.0)
            found = spec->accuracies[e];
    }
    return found;
}

static void note_frontier(const struct evidence *evidence, size_t target, size_t fast, size_t slow, double cost,
                          const char *unit, struct finding *out)
{
    const struct spec *spec = &evidence->spec;
    size_t at[] = {0, spec->dimension_count - 1};
    for (size_t i = 0; i < (spec->dimension_count > 1 ? 2 : 1); i++) {
        double from = frontier(evidence, target, fast, slow, at[i], cost);
        if (from > 0.0)
            judge_note(out, "in %s it wins from eps = %g on at d = %zu", unit, from, spec->dimensions[at[i]]);
        else
            judge_note(out, "in %s it is not seen to win at d = %zu", unit, spec->dimensions[at[i]]);
    }
}

/* A cell of two samplers, accelerated and ddpm. */
static void tell_pair(struct account *account, const struct spec *spec, size_t dimension, size_t accuracy,
                      const struct bracket *fast, const struct bracket *slow, int use, const char *reason)
{
    struct account_cell cell = {.use = use, .reason = reason};
    char a[40], b[40];
    bracket_label(fast, a, sizeof a);
    bracket_label(slow, b, sizeof b);
    (void)snprintf(cell.where, sizeof cell.where, "d = %zu, ε = %g", spec->dimensions[dimension],
                   spec->accuracies[accuracy]);
    (void)snprintf(cell.measured, sizeof cell.measured, "accelerated %s, ddpm %s", a, b);
    account_cell(account, &cell);
}

static enum status decide_crossover(const struct evidence *evidence, const struct claim *claim, size_t target,
                                    struct finding *out, struct error *error)
{
    (void)error;
    const struct spec *spec = &evidence->spec;
    size_t fast, slow, compared = 0, unknown = 0, violated = 0;
    if (!judge_needs(evidence, "accelerated", &fast, out) || !judge_needs(evidence, "ddpm", &slow, out))
        return STATUS_OK;
    double worst = -HUGE_VAL;
    account_window(out->account, "ε ≤ 1/√d, and both T known well enough to say which is larger",
                   "T(d, ε) of accelerated against ddpm");
    for (size_t d = 0; d < spec->dimension_count; d++)
        for (size_t e = 0; e < spec->accuracy_count; e++) {
            double dimension = (double)spec->dimensions[d], fast_low, fast_high, slow_low, slow_high;
            const struct bracket *a = evidence_complexity(evidence, target, fast, d, e);
            const struct bracket *b = evidence_complexity(evidence, target, slow, d, e);
            if (spec->accuracies[e] > 1.0 / sqrt(dimension) * (1.0 + 1e-12)) {
                tell_pair(out->account, spec, d, e, a, b, 0, "ε above 1/√d");
                continue;
            }
            limits(a, &fast_low, &fast_high);
            limits(b, &slow_low, &slow_high);
            int known = fast_low > slow_high || fast_high <= slow_low;
            tell_pair(out->account, spec, d, e, a, b, known ? CELL_USED : CELL_CENSORED,
                      known ? NULL : "which T is larger is not known");
            if (fast_low > slow_high) {
                compared++;
                if (violated++ == 0)
                    judge_note(out, "at d = %zu, eps = %g: T = %.0f against %.0f", spec->dimensions[d],
                               spec->accuracies[e], fast_low, slow_high);
            } else if (fast_high <= slow_low) {
                compared++;
                if (isfinite(slow_high) && fast_low > 0.0 && slow_low > 0.0)
                    worst = fmax(worst, fast_high / slow_low);
            } else
                unknown++;
        }
    out->used = compared;
    out->censored = unknown;
    out->bound = claim->bound;
    struct judgement judgement = {.of = "cells with T_accelerated above T_ddpm",
                                  .condition = {{OUTCOME_INCONCLUSIVE, "inconclusive", "the number of cells compared",
                                                 BELOW, 1.0, (double)compared},
                                                {OUTCOME_REFUTED, "refuted", "the number of cells that violate it",
                                                 ABOVE, 0.0, (double)violated}},
                                  .conditions = 2,
                                  .otherwise = "supported"};
    if (judge_by(out, &judgement, OUTCOME_SUPPORTED) == 0) {
        judge_note(out, "no cell with eps <= 1/sqrt(d) in which both samplers can be compared");
        return STATUS_OK;
    }
    if (violated > 0)
        judge_note(out, "%zu of %zu compared violate it", violated, compared);
    if (isfinite(worst)) {
        out->measured = 1;
        out->value = worst;
    } else
        judge_note(out, "from limits on T alone: in no cell are both T known");
    note_frontier(evidence, target, fast, slow, 1.0, "steps", out);
    note_frontier(evidence, target, fast, slow, 2.0, "score evaluations", out);
    return STATUS_OK;
}

/* T_ddpm/T_accelerated as a power of 1/eps: no theorem, but what the two upper bounds promise together. */
static enum status decide_speedup(const struct evidence *evidence, const struct claim *claim, size_t target,
                                  struct finding *out, struct error *error)
{
    static const struct regression_words words = {"the log of the ratio of T/log T", "log(1/ε)", "d",
                                                  "the smallest ε", "the smallest d"};
    const struct spec *spec = &evidence->spec;
    size_t fast, slow, count = 0, extreme = 0;
    struct fit fit;
    if (!judge_needs(evidence, "accelerated", &fast, out) || !judge_needs(evidence, "ddpm", &slow, out))
        return STATUS_OK;
    struct fit_cell *cells = array_new(spec->dimension_count * spec->accuracy_count, sizeof *cells);
    if (cells == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a fit");
    double largest = 0.0;
    account_window(out->account, "ε ≤ 0.1 and both T found", "T(d, ε) of accelerated and ddpm");
    for (size_t d = 0; d < spec->dimension_count; d++)
        for (size_t e = 0; e < spec->accuracy_count; e++) {
            const struct bracket *a = evidence_complexity(evidence, target, fast, d, e);
            const struct bracket *b = evidence_complexity(evidence, target, slow, d, e);
            int beyond = a->reach == REACH_BEYOND || b->reach == REACH_BEYOND;
            int at_start = a->reach == REACH_AT_START || b->reach == REACH_AT_START;
            int inside = a->reach == REACH_FOUND && b->reach == REACH_FOUND && spec->accuracies[e] <= WINDOW_ACCURACY;
            out->censored += (size_t)beyond;
            out->at_start += (size_t)at_start;
            tell_pair(out->account, spec, d, e, a, b,
                      (inside ? CELL_USED : 0) | (beyond ? CELL_CENSORED : 0) | (at_start ? CELL_AT_START : 0),
                      inside     ? NULL
                      : beyond   ? "more than max_steps"
                      : at_start ? "met at the smallest admissible T already"
                                 : "ε above 0.1, or a T not resolved");
            if (!inside)
                continue;
            double ratio = log_free_cost(b->passes) / log_free_cost(a->passes);
            cells[count++] =
                (struct fit_cell){log((double)spec->dimensions[d]), -log(spec->accuracies[e]), log(ratio), d, e};
            extreme = e > extreme ? e : extreme;
            largest = fmax(largest, (double)b->passes / (double)a->passes);
        }
    enum status status = fit_exponents(cells, count, extreme, &fit, error);
    if (status == STATUS_OK && fit.ok)
        exponents_tell_weights(out->account, cells, count, 0);
    free(cells);
    if (status != STATUS_OK)
        return status;
    out->used = fit.ok ? fit.weighed_x : fit.cells;
    if (!fit.ok) {
        judge_inconclusive(out, fit.reason);
        judge_note(out, "add accuracies <= 0.1 that both samplers reach, or a larger max_steps");
        return STATUS_OK;
    }
    judge_exponent_lower(out, &(struct judged){claim->statistic, &words, out->used}, &fit.x, claim->bound);
    judge_note(out, "largest measured: %.1f in steps, %.1f in score evaluations", largest, 0.5 * largest);
    return STATUS_OK;
}

/* Both exponents on a target that has little more than a second moment. */
static enum status decide_minimal(const struct evidence *evidence, const struct claim *claim, size_t target,
                                  struct finding *out, struct error *error)
{
    const struct claim *fast = claim_named("eps-accelerated"), *slow = claim_named("eps-ddpm");
    struct account account = {.windows = 0};
    struct finding standard = {.claim = slow, .bound = slow->bound, .account = &account};
    char verdict[100];
    enum status status = decide_exponent(evidence, fast, target, 0, out, error);
    if (status == STATUS_OK)
        status = decide_exponent(evidence, slow, target, 0, &standard, error);
    account_append(out->account, &account);
    if (status != STATUS_OK)
        return status;
    out->bound = claim->bound;
    finding_verdict(&standard, verdict, sizeof verdict);
    if (standard.measured)
        judge_note(out, "ddpm: %.3f ± %.3f (bound %g), %s", standard.value, standard.interval, slow->bound, verdict);
    else
        judge_note(out, "ddpm: %s", verdict);
    if (standard.note[0] != '\0')
        judge_note(out, "%s", standard.note);
    out->outcome = standard.outcome > out->outcome ? standard.outcome : out->outcome;
    out->used += standard.used;
    out->censored += standard.censored;
    out->at_start += standard.at_start;
    return STATUS_OK;
}

static int has_accuracies(const struct spec *spec)
{
    return spec->accuracy_count > 0;
}

static int only_if_named(const struct spec *spec)
{
    (void)spec;
    return 0;
}

static const struct claim claims[] = {
    {"eps-accelerated", "The accelerated stochastic sampler reaches TV <= eps in Õ(d^(5/4) eps^(-1/2)) steps.",
     "Li & Cai, arXiv:2410.23285, abstract", "exponent of T/log T in 1/eps", "<= 1/2", "an interval wholly above",
     "accelerated", 0.5, decide_accuracy, has_accuracies},
    {"eps-ddpm", "The standard sampler reaches TV <= eps in Õ(d/eps) steps.",
     "Li & Yan, arXiv:2409.18959, Theorem 1; arXiv:2410.23285, abstract", "exponent of T/log T in 1/eps", "<= 1",
     "an interval wholly above", "ddpm", 1.0, decide_accuracy, has_accuracies},
    {"dim-accelerated", "The accelerated sampler's steps grow at most like d^(5/4).", "Li & Cai, arXiv:2410.23285",
     "exponent of T/log T in d", "<= 5/4", "an interval wholly above", "accelerated", 1.25, decide_dimension,
     has_accuracies},
    {"dim-ddpm", "The standard sampler's steps grow at most like d.", "Li & Yan, arXiv:2409.18959",
     "exponent of T/log T in d", "<= 1", "an interval wholly above", "ddpm", 1.0, decide_dimension, has_accuracies},
    {"crossover", "Acceleration pays for eps <= 1/sqrt(d).", "Li & Cai, arXiv:2410.23285 v3, abstract",
     "largest T_accelerated/T_ddpm with eps <= 1/sqrt(d)", "<= 1", "any cell beyond its error", NULL, 1.0,
     decide_crossover, has_accuracies},
    {"kl-ddpm", "Where the score is tame, KL of DDPM is Õ(d/T^2).", "arXiv:2510.27562",
     "exponent of KL(p|q) in h (and in d)", ">= 2 (d: <= 1)", "an interval beyond", "ddpm", 2.0, decide_kl, NULL},
    {"speedup",
     "Together the bounds promise T_ddpm/T_accelerated ~ eps^(-1/2); no theorem, as both are upper bounds.",
     "the ratio of eps-ddpm and eps-accelerated", "exponent of the ratio of T/log T in 1/eps", ">= 1/2",
     "an interval wholly below", NULL, 0.5, decide_speedup, has_accuracies},
    {"score-linear", "An L2 score error eps_score adds at most Õ(eps_score) to TV.",
     "arXiv:2410.23285; arXiv:2409.18959, Theorem 1",
     "slope of the effect in eps_score; growth of C = effect/(eps_score sqrt(log T)) in T and in d, stochastic "
     "samplers",
     ">= 1 (T, d: <= 0)", "an interval beyond", NULL, 1.0, decide_score_linear, score_error_applies},
    {"score-rough", "Only the L2 size of the score error matters, not its smoothness.", "arXiv:2410.23285, abstract",
     "growth exponent of C in the roughness omega, stochastic samplers", "<= 0", "an interval wholly above", NULL,
     0.0, decide_score_rough, stochastic_roughness_applies},
    {"ode-rough",
     "Contrast, not a theorem: rough errors hurt deterministic samplers more, whose analysis needs a Jacobian error.",
     "arXiv:2408.02320, Theorem 1", "growth exponent of C in the roughness omega, deterministic samplers", "> 0",
     "an interval at or below 0", NULL, 0.0, decide_ode_rough, deterministic_roughness_applies},
    {"minimal", "A finite second moment is enough: both eps-exponents hold on this target.",
     "Li & Cai, arXiv:2410.23285, title and abstract", "exponents of T/log T in 1/eps", "<= 1/2 (ddpm: <= 1)",
     "an interval wholly above, or a floor under TV", NULL, 0.5, decide_minimal, only_if_named},
    {"chains-agree",
     "The program's two routes to a sampler's law agree: by exact propagation and by simulated chains and paths.",
     "theory §7",
     "fraction of estimates within 3 standard errors (and the radius) of the exact law, and of bounds on their side "
     "of "
     "it",
     ">= 0.99", "a 95% Clopper-Pearson interval wholly below", NULL, 0.99, decide_chains_agree, samples_apply},
    {ATLAS_CLAIM, "TV of every sampler falls with h like the order that is claimed for it, or faster.",
     "of each sampler its own: `diffrate list samplers`",
     "claimed order - exponent of TV in h (in h log T where that would refute it), the worst sampler's", "<= 0",
     "an interval wholly above, in h log T too", NULL, 0.0, decide_atlas, only_if_named},
};
enum { CLAIMS = sizeof claims / sizeof claims[0] };

const struct claim *claim_at(size_t index)
{
    return index < CLAIMS ? &claims[index] : NULL;
}

const char *const *claim_names(void)
{
    static const char *const names[] = {
        "eps-accelerated", "eps-ddpm",    "dim-accelerated", "dim-ddpm", "crossover",    "kl-ddpm",   "speedup",
        "score-linear",    "score-rough", "ode-rough",       "minimal",  "chains-agree", ATLAS_CLAIM, NULL};
    _Static_assert(sizeof names / sizeof names[0] == CLAIMS + 1, "a name for each claim");
    return names;
}

void finding_verdict(const struct finding *finding, char *text, size_t size)
{
    static const char *const words[] = {[OUTCOME_NOT_TIGHT] = "supported, not tight",
                                        [OUTCOME_SUPPORTED] = "supported",
                                        [OUTCOME_INCONCLUSIVE] = "inconclusive",
                                        [OUTCOME_REFUTED] = "refuted"};
    if (finding->outcome == OUTCOME_NOT_TIGHT)
        (void)snprintf(text, size, "%s (slack %.2f)", words[finding->outcome], fabs(finding->bound - finding->value));
    else
        (void)snprintf(text, size, "%s", words[finding->outcome]);
}

static int wanted(const struct spec *spec, const struct claim *claim)
{
    for (size_t i = 0; i < spec->claim_count; i++)
        if (strcmp(spec->claims[i], claim->name) == 0)
            return 1;
    return spec->claim_count == 0 && !spec->without_claims && (claim->applies == NULL || claim->applies(spec));
}

size_t claims_worst(const struct finding *findings, size_t count)
{
    const struct finding *worst = &findings[0];
    double toward = worst->claim->predicted[0] == '<' ? 1.0 : -1.0;
    for (size_t i = 1; i < count; i++)
        if (findings[i].outcome > worst->outcome
            || (findings[i].outcome == worst->outcome && findings[i].measured
                && (!worst->measured || toward * findings[i].value > toward * worst->value)))
            worst = &findings[i];
    return (size_t)(worst - findings);
}

static struct finding overall(const struct finding *findings, size_t count)
{
    struct finding worst = findings[claims_worst(findings, count)];
    worst.account = NULL;
    char from[64];
    memcpy(from, worst.target, sizeof from);
    (void)snprintf(worst.target, sizeof worst.target, "all targets");
    worst.note[0] = '\0';
    if (count > 1)
        judge_note(&worst, "that of %s", from);
    worst.used = worst.censored = worst.at_start = 0;
    for (size_t i = 0; i < count; i++) {
        worst.used += findings[i].used;
        worst.censored += findings[i].censored;
        worst.at_start += findings[i].at_start;
    }
    return worst;
}

enum status claims_decide(const struct evidence *evidence, struct finding **out, size_t *count, struct error *error)
{
    const struct spec *spec = &evidence->spec;
    enum status status = STATUS_OK;
    *count = 0;
    *out = array_new(CLAIMS, (spec->target_count + 1) * sizeof **out);
    if (*out == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu findings", CLAIMS * spec->target_count);
    for (size_t c = 0; c < CLAIMS && status == STATUS_OK; c++) {
        if (!wanted(spec, &claims[c]))
            continue;
        struct finding *first = *out + *count;
        for (size_t target = 0; target < spec->target_count && status == STATUS_OK; target++) {
            struct finding *finding = *out + (*count)++;
            *finding = (struct finding){
                .claim = &claims[c], .bound = claims[c].bound, .account = array_new(1, sizeof *finding->account)};
            (void)snprintf(finding->target, sizeof finding->target, "%s", spec->targets[target].name);
            if (finding->account == NULL)
                return fail_with(error, STATUS_MEMORY, "out of memory for a finding");
            status = claims[c].decide(evidence, &claims[c], target, finding, error);
            if (status == STATUS_OK && finding->account->failed)
                status = fail_with(error, STATUS_MEMORY, "out of memory for what a finding is made of");
        }
        if (status == STATUS_OK)
            (*out)[(*count)++] = overall(first, spec->target_count);
    }
    return status;
}

void findings_free(struct finding *findings, size_t count)
{
    for (size_t i = 0; findings != NULL && i < count; i++)
        if (findings[i].account != NULL) {
            account_free(findings[i].account);
            free(findings[i].account);
        }
    free(findings);
}
