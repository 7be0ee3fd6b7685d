/* Bands, fixed here before any run. A theorem's exponent is an upper bound B: with a measured v +- w,
 *   refuted                   v - w > B + BAND
 *   inconclusive              w > WIDEST, or v - w > B: an interval wholly above its bound supports nothing
 *   supported                 |v - B| <= TIGHT
 *   supported, not tight      v + w <= B + BAND otherwise, with the slack B - v
 *   inconclusive              anything else
 * BAND is what finite T leaves: exponents of exactly known laws of this family (Gaussians) differ from their limits
 * by less at the T's in use. In the limit h -> 0 (limit.h), whose intervals are estimates, LIMIT_BAND stands for it;
 * TIGHT is the same in both.
 */
#include "verdict/judge.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "verdict/columns.h"

void judge_note(struct finding *finding, const char *format, ...)
{
    size_t used = strlen(finding->note);
    if (used > 0 && used + 2 < sizeof finding->note) {
        memcpy(finding->note + used, "; ", 3);
        used += 2;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(finding->note + used, sizeof finding->note - used, format, arguments);
    va_end(arguments);
    size_t end = strlen(finding->note), shown = 0, step;
    uint32_t code;
    if (end + 1 < sizeof finding->note)
        return;
    while ((step = text_character(finding->note + shown, &code)) > 0 && shown + step + sizeof "..." <= end)
        shown += step; /* cut between characters */
    (void)snprintf(finding->note + shown, sizeof finding->note - shown, "...");
}

const struct power_kind power_kinds[] = {
    [STEPS_IN_ACCURACY] = {"exponent of T/log T in 1/eps",
                           "1/eps",
                           {"log(T/log T)", "log(1/ε)", "d", "the smallest ε", "the smallest d"},
                           decide_powers,
                           judge_steps},
    [STEPS_IN_DIMENSION] = {"exponent of T/log T in d",
                            "d",
                            {"log(T/log T)", "log d", "ε", "the smallest ε", "the smallest d"},
                            decide_powers,
                            judge_steps},
    [STEPS_IN_PARAMETER] = {.regression = {"log(T/log T)", "", "(d, ε)", "the largest value", "the first (d, ε)"},
                            .decide = decide_powers,
                            .judge = judge_parameter},
    [STEPS_RATIO] = {.name = "largest ratio of T", .in = "T", .decide = decide_crossover},
    [RATIO_IN_ACCURACY] = {"exponent of the ratio of T/log T in 1/eps",
                           "1/eps",
                           {"the log of the ratio of T/log T", "log(1/ε)", "d", "the smallest ε", "the smallest d"},
                           decide_powers,
                           judge_ratio},
    [RATIO_IN_DIMENSION] = {"exponent of the ratio of T/log T in d",
                            "d",
                            {"the log of the ratio of T/log T", "log d", "ε", "the smallest ε", "the smallest d"},
                            decide_powers,
                            judge_ratio},
    [COLUMN_IN_AXIS] = {.decide = decide_powers, .judge = judge_column},
    [EFFECT_IN_SIZE] = {"slope of the effect in eps_score",
                        "eps_score",
                        {"the log of the effect", "log ε_score", "(T, d)", "the smallest ε_score",
                         "the first (T, d)"},
                        decide_score_size,
                        NULL},
    [CONSTANT_IN_STEPS] = {.name = "growth of C in T",
                           .in = "T",
                           .regression = {"log C", "log T", "(ε_score, d)", "the largest T",
                                          "the first (ε_score, d)"}},
    [CONSTANT_IN_DIMENSION] = {.name = "growth of C in d",
                               .in = "d",
                               .regression = {"log C", "log d", "(ε_score, T)", "one ε_score at the largest T",
                                              "the smallest d"}},
    [CONSTANT_IN_ROUGHNESS] = {"growth exponent of C in omega",
                               "omega",
                               {"log C", "log ω", "(ε_score, T, d)", "the largest ω", "the first (ε_score, T, d)"},
                               decide_score_roughness,
                               NULL},
    [ORDER_SHORTFALL] = {.name = "claimed order - exponent of TV in h", .in = "h", .decide = decide_orders},
    [FRACTION_AGREEING] = {.name = "fraction of estimates that agree", .in = "chains", .decide = decide_agreement},
};

const char *bound_axis(const struct claim_bound *bound)
{
    return bound->axis != NULL ? axis_symbol(bound->axis) : power_kinds[bound->power].in;
}

void bound_name(const struct claim_bound *bound, char text[BOUND_NAME])
{
    const char *name = power_kinds[bound->power].name;
    if (name != NULL)
        (void)snprintf(text, BOUND_NAME, "%s", name);
    else
        (void)snprintf(text, BOUND_NAME, "exponent of %s in %s", bound->column != NULL ? bound->column : "T/log T",
                       bound_axis(bound));
}

struct regression_words bound_regression(const struct claim_bound *bound)
{
    struct regression_words words = power_kinds[bound->power].regression;
    if (bound->axis != NULL)
        (void)snprintf(words.x, sizeof words.x, "log(%s)", bound_axis(bound));
    if (bound->power != COLUMN_IN_AXIS)
        return words;
    const bool in_dimension = strcmp(bound->axis, "dimension") == 0, of_error = columns_are_of_errors(bound);
    const bool in_steps = strcmp(bound->axis, "steps") == 0 || strcmp(bound->axis, "step_size") == 0;
    if (in_dimension || in_steps)
        words = (struct regression_words){.group = of_error ? in_dimension ? "(score error, T)" : "(score error, d)"
                                                   : in_dimension ? "T"
                                                                  : "d",
                                          .extreme = "the largest T",
                                          .smallest = "the smallest d"};
    else
        words = (struct regression_words){.group = "setting of all else",
                                          .extreme = "the farthest of what it is a power of",
                                          .smallest = "the first setting"};
    (void)snprintf(words.y, sizeof words.y, "log %s", bound->column);
    (void)snprintf(words.x, sizeof words.x, "log(%s)", bound_axis(bound));
    return words;
}

/* What a lower bound is known of, and by which column. */
static const char *const lower_bounds[][2] = {{"tv", "planted_tv"}, {"kl_p_q", "planted_kl"}};
enum { LOWER_BOUNDS = sizeof lower_bounds / sizeof lower_bounds[0] };

/* The column that a bound is of. */
static const char *column_of(const char *steps_are_of, const struct claim_bound *bound)
{
    const bool of_steps = bound->power == STEPS_IN_ACCURACY || bound->power == STEPS_IN_DIMENSION;
    return of_steps ? steps_are_of : bound->power == COLUMN_IN_AXIS ? bound->column : NULL;
}

static const char *lower_bound_of(const char *column)
{
    for (size_t i = 0; i < LOWER_BOUNDS && column != NULL; i++)
        if (strcmp(lower_bounds[i][0], column) == 0)
            return lower_bounds[i][1];
    return NULL;
}

bool claim_has_lower_bounds(const struct claim *claim)
{
    const struct claim_bound *bound = claim->bound;
    while (bound->power != NO_POWER && lower_bound_of(column_of(accuracy_quantities->name, bound)) != NULL)
        bound++;
    return bound->power == NO_POWER;
}

struct claim_bound bound_on_target(const struct evidence *evidence, const struct claim *claim,
                                   const struct claim_bound *bound, size_t target)
{
    const struct manifest *manifest = &evidence->manifest;
    const struct manifest_target *on = &manifest->targets[target];
    struct claim_bound out = *bound;
    out.column = column_of(claim->stated ? manifest->accuracy_in->name : accuracy_quantities->name, bound);
    if (on->codewords > 0.0 && lower_bound_of(out.column) != NULL) {
        out.below = out.column;
        out.column = lower_bound_of(out.column);
    }
    if (bound->per_lipschitz > 0.0) /* fmin takes `most` where the power of L is not known */
        out.value = fmin(bound->value + bound->per_lipschitz * on->lipschitz, bound->most);
    return out;
}

size_t judge_by(struct finding *finding, struct judgement *judgement, enum outcome otherwise)
{
    judgement_decide(judgement, otherwise);
    account_judgement(finding->account, judgement);
    finding->outcome = judgement->outcome;
    return judgement->decided;
}

/* What is judged: an exponent at finite T, with what its fit is of, or (no words) in the limit. */
struct judged {
    const char *of;
    struct regression_words words;
    size_t cells;
    double band;
};

/* Whether a bound is on a quantity's growth in d, 1/eps or T from above, or on its fall in h from below: it is one
 * from above on the quantity. */
static bool is_from_above(const struct claim_bound *bound)
{
    return (bound->relation == AT_MOST) != (bound->axis != NULL && strcmp(bound->axis, "step_size") == 0);
}

/* Returns the condition that decides. A lower bound of what is bounded from below cannot refute that. */
static size_t judge(struct finding *finding, const struct judged *judged, const struct claim_bound *bound,
                    const struct exponent *exponent)
{
    static const char lower[] = "the lower end of the interval", upper[] = "the upper end of the interval";
    const bool from_above = bound->relation == AT_MOST;
    double side = from_above ? 1.0 : -1.0, value = exponent->value, interval = exponent->interval;
    double inner = value - side * interval, outer = value + side * interval,
           limit = bound->value + side * judged->band;
    const enum outcome beyond =
        bound->below != NULL && !is_from_above(bound) ? OUTCOME_INCONCLUSIVE : OUTCOME_REFUTED;
    struct judgement judgement = {
        .exponent = *exponent,
        .bound = bound->value,
        .regression = judged->words,
        .cells = judged->cells,
        .condition = {{beyond, outcome_words[beyond], from_above ? lower : upper, from_above ? ABOVE : BELOW, limit,
                       inner},
                      {OUTCOME_INCONCLUSIVE, "inconclusive", "the half-width of the interval", ABOVE, WIDEST,
                       interval},
                      {OUTCOME_INCONCLUSIVE, "inconclusive", from_above ? lower : upper, from_above ? ABOVE : BELOW,
                       bound->value, inner},
                      {OUTCOME_SUPPORTED, "supported", "the distance from the bound", AT_MOST, TIGHT,
                       fabs(value - bound->value)},
                      {OUTCOME_NOT_TIGHT, "supported, not tight", from_above ? upper : lower,
                       from_above ? AT_MOST : AT_LEAST, limit, outer}},
        .conditions = 5,
        .otherwise = "inconclusive"};
    (void)snprintf(judgement.of, sizeof judgement.of, "%s", judged->of);
    finding->bound = bound->value;
    finding->relation = bound->relation;
    const size_t decided = judge_by(finding, &judgement, OUTCOME_INCONCLUSIVE);
    if (decided == 0 && beyond == OUTCOME_INCONCLUSIVE)
        judge_note(finding, "what was judged is a lower bound, which cannot refute a bound from below");
    return decided;
}

static void judge_finite(struct finding *finding, const struct judged *judged, const struct claim_bound *bound,
                         const struct exponent *exponent)
{
    size_t decided = judge(finding, judged, bound, exponent);
    finding->measured = 1;
    finding->value = exponent->value;
    finding->interval = exponent->interval;
    if (decided == 1)
        judge_note(finding, "the interval is wider than %.2f", WIDEST);
    else if (decided == 2)
        judge_note(finding, "the interval lies beyond the bound, by less than the %.2f that finite T may leave",
                   BAND);
    else if (decided == 5)
        judge_note(finding, "the interval reaches from below the bound to above it");
}

void judge_power(struct finding *finding, const char *of, const struct claim_bound *bound, size_t cells,
                 const struct exponent *exponent)
{
    judge_finite(finding, &(struct judged){of, bound_regression(bound), cells, BAND}, bound, exponent);
}

void judge_derived(struct finding *finding, const char *of, const struct claim_bound *bound, size_t cells,
                   const struct exponent *exponent)
{
    judge_finite(finding, &(struct judged){.of = of, .cells = cells, .band = BAND}, bound, exponent);
}

/* That a limit is one of d too, or why not. */
static void note_dimension(struct finding *finding, const struct limit *limit)
{
    char text[EXPONENT_TEXT];
    exponent_text(limit->finite[0], limit->finite[1], text);
    if (limit->in_dimension)
        judge_note(finding, "extrapolated in d, too: %s between the largest two", text);
    else if (limit->reason[0] != '\0')
        judge_note(finding, "not extrapolated in d: %s", limit->reason);
}

void judge_limit(struct finding *finding, size_t note, const char *of, const struct claim_bound *bound,
                 const struct limit *limit)
{
    if (!limit->exists) {
        if (finding->outcome == OUTCOME_INCONCLUSIVE)
            judge_note(finding, "no limit: %s", limit->reason);
        return;
    }
    finding->note[note] = '\0';
    const struct exponent exponent = {.value = limit->value, .interval = limit->interval};
    struct account *account = finding->account;
    if (finding->measured && account != NULL && account->judgements > 0)
        account->judgement[account->judgements - 1].superseded = true;
    size_t decided =
        judge(finding, &(struct judged){.of = of, .cells = limit->points, .band = LIMIT_BAND}, bound, &exponent);
    finding->has_limit = true;
    finding->limit_value = limit->value;
    finding->limit_interval = limit->interval;
    if (decided == 1)
        judge_note(finding, "the limit's interval is wider than %.2f", WIDEST);
    else if (decided == 2)
        judge_note(finding, "the interval lies beyond the bound, by less than the %.2f that extrapolation may leave",
                   LIMIT_BAND);
    else if (decided == 5)
        judge_note(finding, "the interval reaches from below the bound to above it");
    note_dimension(finding, limit);
}

void judge_inconclusive(struct finding *finding, const char *reason)
{
    finding->outcome = OUTCOME_INCONCLUSIVE;
    judge_note(finding, "%s", reason);
}

int judge_needs(const struct evidence *evidence, const char *sampler, size_t *index, struct finding *out)
{
    *index = evidence_sampler(evidence, sampler);
    if (*index < evidence->manifest.sampler_count)
        return 1;
    out->outcome = OUTCOME_INCONCLUSIVE;
    judge_note(out, "sampler %s is not in the experiment", sampler);
    return 0;
}
