#include "model/mixture_level.h"

#include <math.h>
#include <stdbool.h>

#include "core/elementary.h"
#include "core/memory.h"
#include "core/vmath.h"

enum { CHUNK = 128, FEW = 8 };

/* Components whose log-weights are so far below the largest all over a chunk are left out: e^-100 of the density. */
#define NEGLIGIBLE_LOG_WEIGHT (-100.0)

/* The law of X_t at levels that are wide for a density: a mixture of components of no width. */
struct point_masses {
    struct factor factor;
    struct mixture_level level;
};

static enum status masses_new(const struct density *density, struct mixture_level *out, struct error *error)
{
    struct point_masses *masses = out->masses = array_new(1, sizeof *masses);
    if (masses == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a density");
    masses->factor =
        (struct factor){1, density->masses, density->weight, density->position, density->zero, NULL, NULL, NULL};
    return mixture_level_new(&masses->factor, &masses->level, error);
}

enum status mixture_level_new(const struct factor *factor, struct mixture_level *out, struct error *error)
{
    size_t k = factor->components;
    double *block = k < SIZE_MAX / 4 ? array_new(4 * k, sizeof *block) : NULL;
    if (block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components", k);
    *out = (struct mixture_level){.factor = factor,
                                  .sd = block,
                                  .variance = block + k,
                                  .inverse_variance = block + 2 * k,
                                  .log_constant = block + 3 * k};
    enum status status = factor->density != NULL ? masses_new(factor->density, out, error) : STATUS_OK;
    if (status != STATUS_OK)
        mixture_level_free(out);
    return status;
}

void mixture_level_free(struct mixture_level *mixture)
{
    if (mixture->masses != NULL)
        mixture_level_free(&mixture->masses->level);
    free(mixture->masses);
    free(mixture->sd);
    *mixture = (struct mixture_level){0};
}

void mixture_level_set(struct mixture_level *mixture, const struct level *level)
{
    const struct factor *factor = mixture->factor;
    mixture->level = *level;
    mixture->root_alpha_bar = sqrt(level->alpha_bar);
    if (mixture->masses != NULL && density_is_wide(factor->density, level))
        mixture_level_set(&mixture->masses->level, level);
    for (size_t k = 0; k < factor->components; k++) {
        double variance = level->alpha_bar * factor->sd[k] * factor->sd[k] + level->noise;
        mixture->variance[k] = variance;
        mixture->sd[k] = sqrt(variance);
        mixture->inverse_variance[k] = 1.0 / variance;
        double log_weight = factor->log_weight != NULL ? factor->log_weight[k] : log_of(factor->weight[k]);
        mixture->log_constant[k] = log_weight - 0.5 * log_of(2.0 * M_PI * variance);
    }
}

VECTOR_CLONES static void evaluate_single(const struct mixture_level *mixture, size_t n, const double *x,
                                          double *log_density, double *score)
{
    double inverse = mixture->inverse_variance[0], constant = mixture->log_constant[0];
    if (log_density != NULL)
        for (size_t i = 0; i < n; i++)
            log_density[i] = constant - 0.5 * inverse * (x[i] * x[i]);
    if (score != NULL)
        for (size_t i = 0; i < n; i++)
            score[i] = -inverse * x[i];
}

/* Two components, N(x; c, V) and N(x; c', V'). */
struct pair {
    double centre, inverse, other_centre, other_inverse;
    double constant; /* log(w'/w) - log(V'/V)/2 */
};

static inline struct pair pair_of(const struct mixture_level *mixture, size_t anchor, size_t of, size_t other)
{
    return (struct pair){mixture_level_centre(mixture, of, anchor), mixture->inverse_variance[of],
                         mixture_level_centre(mixture, other, anchor), mixture->inverse_variance[other],
                         mixture->log_constant[other] - mixture->log_constant[of]};
}

/* l(x) = log(w' N(x; c', V')/(w N(x; c, V))). */
static inline double log_odds(const struct pair *pair, double x)
{
    double u = x - pair->centre, v = x - pair->other_centre;
    return pair->constant + 0.5 * (pair->inverse * (u * u) - pair->other_inverse * (v * v));
}

/* The score of two components from `smaller` = e^-|l|, the ratio of the smaller weight to the larger one. */
static inline double score_of_two(const struct pair *pair, double odds, double smaller, double x)
{
    double slope = pair->inverse * (x - pair->centre), other = pair->other_inverse * (x - pair->other_centre);
    double near = odds > 0.0 ? other : slope, far = odds > 0.0 ? slope : other;
    return -(near + smaller * far) / (1.0 + smaller);
}

/* Several short loops instead of one: the fewer operations of a point depend on one another, the more points the
 * processor has under way. Most of the time goes into exponentials. */
VECTOR_CLONES static void score_two(const struct pair *of, size_t n, const double *x, double *score)
{
    struct pair pair = *of;
    double odds[CHUNK], smaller[CHUNK];
    for (size_t i = 0; i < n; i++) {
        odds[i] = log_odds(&pair, x[i]);
        smaller[i] = -fabs(odds[i]);
    }
    for (size_t i = 0; i < n; i++)
        smaller[i] = exp_of(smaller[i]);
    for (size_t i = 0; i < n; i++)
        score[i] = score_of_two(&pair, odds[i], smaller[i], x[i]);
}

VECTOR_CLONES static void evaluate_two(const struct mixture_level *mixture, size_t anchor, size_t n, const double *x,
                                       double *log_density, double *score)
{
    struct pair pair = pair_of(mixture, anchor, 0, 1);
    double first = mixture->log_constant[0], second = mixture->log_constant[1], larger[CHUNK];
    if (log_density == NULL) {
        score_two(&pair, n, x, score);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        double u = x[i] - pair.centre, v = x[i] - pair.other_centre;
        double of = first - 0.5 * pair.inverse * (u * u), other = second - 0.5 * pair.other_inverse * (v * v);
        larger[i] = log_odds(&pair, x[i]) > 0.0 ? other : of;
    }
    for (size_t i = 0; i < n; i++) {
        double odds = log_odds(&pair, x[i]), smaller = exp_of(-fabs(odds));
        log_density[i] = larger[i] + log_of(1.0 + smaller);
        if (score != NULL)
            score[i] = score_of_two(&pair, odds, smaller, x[i]);
    }
}

/* A component's log-weight at the points. */
static inline void log_weights(const struct mixture_level *mixture, size_t anchor, size_t k, size_t n,
                               const double *x, double *out)
{
    double centre = mixture_level_centre(mixture, k, anchor), constant = mixture->log_constant[k];
    double half = 0.5 * mixture->inverse_variance[k];
    for (size_t i = 0; i < n; i++) {
        double u = x[i] - centre;
        out[i] = constant - half * (u * u);
    }
}

/* Where the points of a chunk are, and the largest log-weight that is nowhere less than some component's: components
 * that are below it by NEGLIGIBLE_LOG_WEIGHT all over the chunk are never looked at. */
struct chunk_range {
    double low, high, floor;
};

/* The largest or the least log-weight of a component in a range. */
static inline double extreme_log_weight(const struct mixture_level *mixture, size_t anchor, size_t k, double low,
                                        double high, bool least)
{
    double centre = mixture_level_centre(mixture, k, anchor), below = centre - low, above = high - centre;
    double farther = below > above ? below : above, outside = -(below < above ? below : above),
           distance = least           ? farther
                      : outside > 0.0 ? outside
                                      : 0.0;
    return mixture->log_constant[k] - 0.5 * mixture->inverse_variance[k] * (distance * distance);
}

static struct chunk_range range_of(const struct mixture_level *mixture, size_t anchor, size_t n, const double *x)
{
    struct chunk_range range = {HUGE_VAL, -HUGE_VAL, -HUGE_VAL};
    for (size_t i = 0; i < n; i++) {
        range.low = x[i] < range.low ? x[i] : range.low;
        range.high = x[i] > range.high ? x[i] : range.high;
    }
    for (size_t k = 0; k < mixture->factor->components; k++) {
        double least = extreme_log_weight(mixture, anchor, k, range.low, range.high, true);
        range.floor = least > range.floor ? least : range.floor;
    }
    return range;
}

/* One more for rounding: what is passed over would have counted for nothing anyway, to the last bit. */
static inline bool passes_over(const struct mixture_level *mixture, size_t anchor, size_t k,
                               const struct chunk_range *range)
{
    return extreme_log_weight(mixture, anchor, k, range->low, range->high, false)
           < range->floor + NEGLIGIBLE_LOG_WEIGHT - 1.0;
}

/* Log-sum-exp of at most CHUNK points, which stay in the first-level cache for any number of components: log-weights
 * of more than FEW components are computed twice. */
VECTOR_CLONES static void evaluate_chunk(const struct mixture_level *mixture, size_t anchor, size_t n,
                                         const double *x, double *log_density, double *score)
{
    size_t components = mixture->factor->components;
    int few = components <= FEW;
    double kept[FEW][CHUNK], largest[CHUNK], total[CHUNK], gradient[CHUNK];
    struct chunk_range range = {0.0, 0.0, -HUGE_VAL};
    if (!few)
        range = range_of(mixture, anchor, n, x);
    for (size_t i = 0; i < n; i++) {
        largest[i] = -HUGE_VAL;
        total[i] = gradient[i] = 0.0;
    }
    for (size_t k = 0; k < components; k++) {
        double *exponent = kept[few ? k : 0];
        if (!few && passes_over(mixture, anchor, k, &range))
            continue;
        log_weights(mixture, anchor, k, n, x, exponent);
        for (size_t i = 0; i < n; i++)
            largest[i] = exponent[i] > largest[i] ? exponent[i] : largest[i];
    }
    for (size_t k = 0; k < components; k++) {
        double centre = mixture_level_centre(mixture, k, anchor), inverse = mixture->inverse_variance[k];
        double *exponent = kept[few ? k : 0];
        uint64_t counting = 0;
        if (!few && passes_over(mixture, anchor, k, &range))
            continue;
        if (!few)
            log_weights(mixture, anchor, k, n, x, exponent);
        for (size_t i = 0; i < n; i++) {
            exponent[i] -= largest[i];
            counting += exponent[i] > NEGLIGIBLE_LOG_WEIGHT ? 1u : 0u;
        }
        for (size_t i = 0; i < n && counting > 0; i++) {
            double weight = exp_of(exponent[i]);
            total[i] += weight;
            gradient[i] += weight * (inverse * (x[i] - centre));
        }
    }
    if (score != NULL)
        for (size_t i = 0; i < n; i++)
            score[i] = -gradient[i] / total[i];
    if (log_density != NULL)
        for (size_t i = 0; i < n; i++)
            log_density[i] = largest[i] + log_of(total[i]);
}

/* Positions are relative to sqrt(A) m_anchor of the places, and to that of the first of the point masses. */
static void evaluate_density(const struct mixture_level *mixture, size_t anchor, size_t n, const double *x,
                             double *log_density, double *score)
{
    const struct density *density = mixture->factor->density;
    double origin = mixture->factor->mean[anchor], moved[CHUNK];
    if (!density_is_wide(density, &mixture->level)) {
        density_evaluate(density, &mixture->level, origin, n, x, log_density, score);
        return;
    }
    double shift = mixture->root_alpha_bar * (origin - density->position[0]);
    for (size_t start = 0; start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK;
        for (size_t i = 0; i < count; i++)
            moved[i] = x[start + i] + shift;
        mixture_level_evaluate(&mixture->masses->level, 0, count, moved,
                               log_density == NULL ? NULL : log_density + start,
                               score == NULL ? NULL : score + start);
    }
}

void mixture_level_evaluate(const struct mixture_level *mixture, size_t anchor, size_t n, const double *x,
                            double *log_density, double *score)
{
    if (mixture->masses != NULL) {
        evaluate_density(mixture, anchor, n, x, log_density, score);
        return;
    }
    size_t components = mixture->factor->components;
    if (components == 1)
        evaluate_single(mixture, n, x, log_density, score);
    for (size_t start = 0; start < n && components > 1; start += CHUNK)
        (components == 2 ? evaluate_two : evaluate_chunk)(mixture, anchor, n - start < CHUNK ? n - start : CHUNK,
                                                          x + start, log_density == NULL ? NULL : log_density + start,
                                                          score == NULL ? NULL : score + start);
}

VECTOR_CLONES static void split_two(const struct mixture_level *mixture, size_t anchor, size_t of, size_t n,
                                    const double *x, double *excess, double *others, double *score)
{
    struct pair pair = pair_of(mixture, anchor, of, 1 - of);
    double odds[CHUNK];
    for (size_t i = 0; i < n; i++) {
        odds[i] = log_odds(&pair, x[i]);
        excess[i] = odds[i] > 0.0 ? odds[i] : 0.0;
        others[i] = -fabs(odds[i]);
    }
    for (size_t i = 0; i < n; i++)
        others[i] = exp_of(others[i]);
    for (size_t i = 0; i < n && score != NULL; i++)
        score[i] = score_of_two(&pair, odds[i], others[i], x[i]);
}

static inline void all_log_odds(const struct pair *pair, size_t n, const double *x, double *out)
{
    struct pair p = *pair;
    for (size_t i = 0; i < n; i++)
        out[i] = log_odds(&p, x[i]);
}

VECTOR_CLONES static void split_chunk(const struct mixture_level *mixture, size_t anchor, size_t of, size_t n,
                                      const double *x, double *excess, double *others, double *score)
{
    size_t components = mixture->factor->components;
    int few = components <= FEW;
    double kept[FEW][CHUNK], gradient[CHUNK], centre = mixture_level_centre(mixture, of, anchor);
    double inverse = mixture->inverse_variance[of];
    uint64_t exceeded = 0;
    struct chunk_range range = {0.0, 0.0, -HUGE_VAL};
    if (!few)
        range = range_of(mixture, anchor, n, x);
    for (size_t i = 0; i < n; i++)
        excess[i] = 0.0;
    for (size_t k = 0; k < components; k++) {
        struct pair pair = pair_of(mixture, anchor, of, k);
        double *odds = kept[few ? k : 0];
        if (k == of || (!few && passes_over(mixture, anchor, k, &range)))
            continue;
        all_log_odds(&pair, n, x, odds);
        for (size_t i = 0; i < n; i++)
            excess[i] = odds[i] > excess[i] ? odds[i] : excess[i];
    }
    for (size_t i = 0; i < n; i++) {
        exceeded += excess[i] > 0.0 ? 1u : 0u;
        others[i] = 0.0;
        gradient[i] = inverse * (x[i] - centre);
    }
    for (size_t i = 0; i < n && exceeded > 0; i++) {
        double weight = exp_of(-excess[i]);
        others[i] = weight - 1.0;
        gradient[i] *= weight;
    }
    for (size_t k = 0; k < components; k++) {
        struct pair pair = pair_of(mixture, anchor, of, k);
        double *odds = kept[few ? k : 0];
        uint64_t counting = 0;
        if (k == of || (!few && passes_over(mixture, anchor, k, &range)))
            continue;
        if (!few)
            all_log_odds(&pair, n, x, odds);
        for (size_t i = 0; i < n; i++) {
            odds[i] -= excess[i];
            counting += odds[i] > NEGLIGIBLE_LOG_WEIGHT ? 1u : 0u;
        }
        for (size_t i = 0; i < n && counting > 0; i++) {
            double weight = exp_of(odds[i]);
            others[i] += weight;
            gradient[i] += weight * (pair.other_inverse * (x[i] - pair.other_centre));
        }
    }
    for (size_t i = 0; i < n && score != NULL; i++)
        score[i] = -gradient[i] / (1.0 + others[i]);
}

void mixture_level_split(const struct mixture_level *mixture, size_t anchor, size_t of, size_t n, const double *x,
                         double *excess, double *others, double *score)
{
    size_t components = mixture->factor->components;
    if (mixture->masses != NULL) {
        mixture_level_evaluate(mixture, anchor, n, x, excess, score);
        for (size_t i = 0; i < n; i++)
            others[i] = 0.0;
        return;
    }
    if (components == 1) {
        for (size_t i = 0; i < n; i++)
            excess[i] = others[i] = 0.0;
        evaluate_single(mixture, n, x, NULL, score);
        return;
    }
    for (size_t start = 0; start < n; start += CHUNK)
        (components == 2 ? split_two : split_chunk)(mixture, anchor, of, n - start < CHUNK ? n - start : CHUNK,
                                                    x + start, excess + start, others + start,
                                                    score == NULL ? NULL : score + start);
}

size_t mixture_exponentials(const struct mixture_level *mixture)
{
    size_t components = mixture->factor->components;
    if (mixture->masses != NULL)
        return density_exponentials(mixture->factor->density, &mixture->level);
    return components > 2 ? components : components - 1;
}

void mixture_level_log_own(const struct mixture_level *mixture, size_t anchor, size_t n, const double *x, double *out)
{
    for (size_t k = 0; k < mixture->factor->components; k++) {
        double centre = mixture_level_centre(mixture, k, anchor), half = 0.5 * mixture->inverse_variance[k];
        double constant = mixture->log_constant[k] - factor_log_weight(mixture->factor, k);
        for (size_t i = 0; i < n; i++) {
            double u = x[i] - centre, value = constant - half * (u * u);
            out[i] = k == 0 || value > out[i] ? value : out[i];
        }
    }
}

void mixture_level_log_part(const struct mixture_level *mixture, size_t k, size_t anchor, size_t n, const double *x,
                            double *out)
{
    log_weights(mixture, anchor, k, n, x, out);
}

size_t mixture_level_dominant(const struct mixture_level *mixture, size_t anchor, double x)
{
    size_t dominant = anchor;
    double largest = -HUGE_VAL;
    for (size_t k = 0; mixture->masses == NULL && k < mixture->factor->components; k++) {
        double u = x - mixture_level_centre(mixture, k, anchor);
        double exponent = mixture->log_constant[k] - 0.5 * u * u * mixture->inverse_variance[k];
        if (exponent > largest) {
            largest = exponent;
            dominant = k;
        }
    }
    return dominant;
}
