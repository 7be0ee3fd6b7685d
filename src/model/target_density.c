/* Targets whose coordinates have a density that is no Gaussian mixture, each with the places and scales on which it
 * varies (struct factor): what the panels of a law follow. A place of scale 0 is a kink or a jump, which early
 * stopping smooths on the scale sqrt(1 - abar_1). */
#include <math.h>

#include "core/memory.h"
#include "model/target.h"

/* [scales] Of a component of a factor that are covered; laws leave out what is beyond (law/tuning.h, PANEL_REACH). */
#define COVERED 9.5
/* [1/slope] At which a tail exp(-x) has a mass of 1e-20 left. */
#define TAIL 46.5

/* Of a component that covers [from, to] and no more. */
static double scale_covering(double from, double to)
{
    return 0.5 * (to - from) / COVERED;
}

/* Takes over the density. */
static enum status append(struct density *density, enum status status, size_t count, const double *place,
                          const double *scale, size_t dimension, struct factor_list *list, struct error *error)
{
    double *weight = array_new(count, sizeof *weight);
    if (status == STATUS_OK && weight == NULL)
        status = fail_with(error, STATUS_MEMORY, "out of memory for a density");
    for (size_t k = 0; k < count && weight != NULL; k++)
        weight[k] = 1.0 / (double)count;
    const struct factor factor = {1, count, weight, place, scale, NULL, NULL, density};
    if (status == STATUS_OK)
        status = factor_list_append(list, &factor, (double)dimension, error);
    free(weight);
    density_free(density);
    return status;
}

/* ---- Laplace, exponential, uniform. ---- */

struct place_scale {
    double mean, scale;
};

static enum status laplace_factors(const struct target *target, size_t dimension, struct factor_list *list,
                                   struct error *error)
{
    const struct place_scale *laplace = target_params(target);
    double mean = laplace->mean, scale = laplace->scale;
    const struct density_piece pieces[] = {
        {.from = -HUGE_VAL, .to = mean, .log_from = -HUGE_VAL, .log_to = 0.0, .slope = 1.0 / scale},
        {.from = mean, .to = HUGE_VAL, .log_from = 0.0, .log_to = -HUGE_VAL, .slope = -1.0 / scale}};
    const double places[] = {mean, mean, mean}, scales[] = {0.0, scale, TAIL / COVERED * scale};
    struct density density;
    enum status status = density_of_pieces(2, pieces, &density, error);
    return append(&density, status, 3, places, scales, dimension, list, error);
}

struct exponential {
    double low, scale;
};

static enum status exponential_factors(const struct target *target, size_t dimension, struct factor_list *list,
                                       struct error *error)
{
    enum { NEAR_PART = 5 };
    const struct exponential *exponential = target_params(target);
    double low = exponential->low, scale = exponential->scale, end = low + TAIL * scale;
    const struct density_piece piece = {
        .from = low, .to = HUGE_VAL, .log_from = 0.0, .log_to = -HUGE_VAL, .slope = -1.0 / scale};
    const double places[] = {low, low + NEAR_PART * scale, 0.5 * (low + end)};
    const double scales[] = {0.0, scale_covering(low, low + 2.0 * NEAR_PART * scale), scale_covering(low, end)};
    struct density density;
    enum status status = density_of_pieces(1, &piece, &density, error);
    return append(&density, status, 3, places, scales, dimension, list, error);
}

struct uniform {
    double low, high;
};

static enum status uniform_exists(const struct target *target, size_t dimension, struct error *error)
{
    const struct uniform *uniform = target_params(target);
    (void)dimension;
    return uniform->low < uniform->high
               ? STATUS_OK
               : fail_with(error, STATUS_INVALID, "target %s: low is %g and high %g, expected low < high",
                           target->name, uniform->low, uniform->high);
}

static enum status uniform_factors(const struct target *target, size_t dimension, struct factor_list *list,
                                   struct error *error)
{
    const struct uniform *uniform = target_params(target);
    double low = uniform->low, high = uniform->high;
    const struct density_piece piece = {.from = low, .to = high};
    const double places[] = {low, 0.5 * (low + high), high}, scales[] = {0.0, scale_covering(low, high), 0.0};
    struct density density;
    enum status status = density_of_pieces(1, &piece, &density, error);
    return append(&density, status, 3, places, scales, dimension, list, error);
}

/* ---- Tabulated: log p linear between the places of a file. ---- */

struct tabulated {
    struct file_numbers file; /* x_1, log p_1, x_2, log p_2, ... */
};

enum { MOST_TABULATED = 200 };

static enum status tabulated_exists(const struct target *target, size_t dimension, struct error *error)
{
    const struct tabulated *tabulated = target_params(target);
    const double *value = tabulated->file.value;
    size_t count = tabulated->file.count / 2;
    (void)dimension;
    if (tabulated->file.count % 2 != 0 || count < 2)
        return fail_with(error, STATUS_INVALID,
                         "target %s: found %zu numbers, expected pairs of x and log p, 2 at least", target->name,
                         tabulated->file.count);
    if (count > MOST_TABULATED)
        return fail_with(error, STATUS_INVALID,
                         "target %s: found %zu pairs of x and log p, expected %d at most: each is a kink, which laws "
                         "resolve one by one",
                         target->name, count, MOST_TABULATED);
    for (size_t i = 1; i < count; i++)
        if (!(value[2 * i] > value[2 * i - 2]))
            return fail_with(error, STATUS_INVALID,
                             "target %s: x of pair %zu is %.17g and of pair %zu %.17g, expected them to grow",
                             target->name, i, value[2 * i - 2], i + 1, value[2 * i]);
    return STATUS_OK;
}

/* Each place is a kink, and between two the density varies on the scale of their distance; on the scale that the
 * slope sets, where it is steep, which goes with the distance from the nearest kink anyway. */
static enum status tabulated_factors(const struct target *target, size_t dimension, struct factor_list *list,
                                     struct error *error)
{
    const struct tabulated *tabulated = target_params(target);
    const double *value = tabulated->file.value;
    size_t count = tabulated->file.count / 2, pieces = count - 1;
    double place[2 * MOST_TABULATED], scale[2 * MOST_TABULATED];
    struct density_piece piece[MOST_TABULATED];
    for (size_t i = 0; i < pieces; i++) {
        const double *at = value + 2 * i;
        piece[i] = (struct density_piece){.from = at[0],
                                          .to = at[2],
                                          .log_from = at[1],
                                          .log_to = at[3],
                                          .slope = (at[3] - at[1]) / (at[2] - at[0])};
        place[2 * i] = at[0];
        scale[2 * i] = 0.0;
        place[2 * i + 1] = 0.5 * (at[0] + at[2]);
        scale[2 * i + 1] = scale_covering(at[0], at[2]);
    }
    place[2 * pieces] = value[2 * pieces];
    scale[2 * pieces] = 0.0;
    struct density density;
    enum status status = density_of_pieces(pieces, piece, &density, error);
    return append(&density, status, 2 * pieces + 1, place, scale, dimension, list, error);
}

/* ---- Smooth shapes. ---- */

static void double_well(double w, double *log_shape, double *slope, double *curvature)
{
    double square = w * w;
    *log_shape = square * (6.0 - square) + 0.5 * w - 9.0;
    *slope = w * (12.0 - 4.0 * square) + 0.5;
    *curvature = 12.0 - 12.0 * square;
}

static const struct smooth_shape double_well_shape = {
    .name = "double-well", .lowest = -4.5, .highest = 4.5, .spacing = 0.1, .narrow = 0.15, .evaluate = double_well};

static enum status double_well_factors(const struct target *target, size_t dimension, struct factor_list *list,
                                       struct error *error)
{
    /* the wells, sqrt(3) from 0, where (log p)'' = -24, and the barrier, where it is 12 */
    enum { PLACES = 3 };
    static const double places[PLACES] = {-1.7320508, 0.0, 1.7320508}, scales[PLACES] = {0.2, 0.29, 0.2};
    const struct place_scale *own = target_params(target);
    double place[PLACES], scale[PLACES];
    for (int k = 0; k < PLACES; k++) {
        place[k] = own->mean + own->scale * places[k];
        scale[k] = own->scale * scales[k];
    }
    struct density density;
    enum status status = density_of_shape(&double_well_shape, own->mean, own->scale, &density, error);
    return append(&density, status, PLACES, place, scale, dimension, list, error);
}

static void logistic(double w, double *log_shape, double *slope, double *curvature)
{
    double small = exp(-fabs(w)), sum = 1.0 + small;
    *log_shape = -fabs(w) - 2.0 * log1p(small);
    *slope = copysign((1.0 - small) / sum, -w);
    *curvature = -2.0 * small / (sum * sum);
}

static const struct smooth_shape logistic_shape = {.name = "logistic",
                                                   .lowest = -90.0,
                                                   .highest = 90.0,
                                                   .spacing = 0.5,
                                                   .narrow = 1.0,
                                                   .exponentials = 2,
                                                   .evaluate = logistic};

static enum status logistic_factors(const struct target *target, size_t dimension, struct factor_list *list,
                                    struct error *error)
{
    const struct place_scale *own = target_params(target);
    const double places[] = {own->mean, own->mean}, scales[] = {own->scale, TAIL / COVERED * own->scale};
    struct density density;
    enum status status = density_of_shape(&logistic_shape, own->mean, own->scale, &density, error);
    return append(&density, status, 2, places, scales, dimension, list, error);
}

/* ---- Families. ---- */

static const struct param laplace_params[] = {
    {"mean", PARAM_REAL, offsetof(struct place_scale, mean), "the mean of every coordinate", .standard = 0.0},
    {"scale", PARAM_REAL, offsetof(struct place_scale, scale), "the scale of every coordinate", .standard = 1.0,
     .range = GREATER_THAN(0.0)},
    {0},
};

static const struct param double_well_params[] = {
    {"mean", PARAM_REAL, offsetof(struct place_scale, mean), "where the middle between the wells is",
     .standard = 0.0},
    {"scale", PARAM_REAL, offsetof(struct place_scale, scale), "the unit of length", .standard = 1.0,
     .range = GREATER_THAN(0.0)},
    {0},
};

static const struct param exponential_params[] = {
    {"low", PARAM_REAL, offsetof(struct exponential, low), "where the density begins, by a jump", .standard = 0.0},
    {"scale", PARAM_REAL, offsetof(struct exponential, scale), "the mean distance from there", .standard = 1.0,
     .range = GREATER_THAN(0.0)},
    {0},
};

static const struct param uniform_params[] = {
    {"low", PARAM_REAL, offsetof(struct uniform, low), "the least value of every coordinate", .standard = -1.0},
    {"high", PARAM_REAL, offsetof(struct uniform, high), "the largest, above `low`", .standard = 1.0},
    {0},
};

static const struct param tabulated_params[] = {
    {"file", PARAM_FILE, offsetof(struct tabulated, file),
     "pairs of x, growing, and log p up to a constant: a text, or FILE:DATASET of an HDF5 file, N x 2; 200 at most",
     .required = 1},
    {0},
};

#define SOURCE "theory §3; model/density.h"

const struct target_family target_laplace = {
    .name = "laplace",
    .doc = "A Laplace law, copied over the dimension: a kink at the mean, exponential tails.",
    .formula = "prod_i exp(-|x_i - mean|/scale)/(2 scale)",
    .source = SOURCE,
    .params = laplace_params,
    .params_size = sizeof(struct place_scale),
    .factors = laplace_factors,
};

const struct target_family target_uniform = {
    .name = "uniform",
    .doc = "The uniform law on an interval, copied over the dimension: the cube. Its jumps are smoothed by early "
           "stopping alone.",
    .formula = "prod_i 1{low <= x_i <= high}/(high - low)",
    .source = SOURCE,
    .params = uniform_params,
    .params_size = sizeof(struct uniform),
    .exists = uniform_exists,
    .factors = uniform_factors,
};

const struct target_family target_exponential = {
    .name = "exponential",
    .doc = "An exponential law, copied over the dimension: a jump and one tail.",
    .formula = "prod_i 1{x_i >= low} exp(-(x_i - low)/scale)/scale",
    .source = SOURCE,
    .params = exponential_params,
    .params_size = sizeof(struct exponential),
    .factors = exponential_factors,
};

const struct target_family target_double_well = {
    .name = "double-well",
    .doc = "Two wells of unequal mass with a barrier between them, copied over the dimension (\"many-well\").",
    .formula = "prod_i exp(-z_i^4 + 6 z_i^2 + z_i/2)/Z, z_i = (x_i - mean)/scale",
    .source = SOURCE "; the potential of F. Noe et al., Science 365 (2019)",
    .params = double_well_params,
    .params_size = sizeof(struct place_scale),
    .factors = double_well_factors,
};

const struct target_family target_logistic = {
    .name = "logistic",
    .doc = "A logistic law, copied over the dimension: smooth, with exponential tails.",
    .formula = "prod_i e^(-z_i)/(scale (1 + e^(-z_i))^2), z_i = (x_i - mean)/scale",
    .source = SOURCE,
    .params = laplace_params,
    .params_size = sizeof(struct place_scale),
    .factors = logistic_factors,
};

const struct target_family target_tabulated = {
    .name = "tabulated",
    .doc = "A density from a file, copied over the dimension: log p linear between the file's places, 0 beyond them.",
    .formula = "prod_i exp(l(x_i))/Z, l linear between the pairs (x, log p) of the file",
    .source = SOURCE,
    .params = tabulated_params,
    .params_size = sizeof(struct tabulated),
    .exists = tabulated_exists,
    .factors = tabulated_factors,
};
