#include "sample/projected_parts.h"

#include <math.h>
#include <stdbool.h>

#include "core/memory.h"
#include "core/vmath.h"
#include "sample/projected.h"

/* Components are merged whose means differ by less than this fraction of their width, which changes a distribution
 * function by less, or by rounding; and whose variances differ by less than this fraction. */
#define MERGE_TOLERANCE 1e-12
/* Components of less weight are dropped: a million of them are 1e-16. */
#define NEGLIGIBLE_WEIGHT 1e-22
enum { FAR_BACK = 16 };

enum status projected_dimension(const struct factor_list *list, size_t *out, struct error *error)
{
    *out = 0;
    for (size_t g = 0; g < list->count; g++) {
        double copies = list->group[g].multiplicity, size = (double)list->group[g].factor.dimension;
        if (!(copies >= 0.0) || copies != floor(copies) || copies * size > 1e15)
            return fail_with(error, STATUS_UNSUPPORTED,
                             "factor %zu of the target stands for %g copies, so it has no coordinates to project",
                             g + 1, copies);
        *out += (size_t)copies * list->group[g].factor.dimension;
    }
    return STATUS_OK;
}

static enum status out_of_memory(struct error *error)
{
    return fail_with(error, STATUS_MEMORY, "out of memory for the projection of a target");
}

static enum status components_add(struct components *list, struct component component, struct error *error)
{
    struct component *grown = array_reserve(list->part, &list->capacity, list->count + 1, sizeof *grown);
    if (grown == NULL)
        return out_of_memory(error);
    list->part = grown;
    list->part[list->count++] = component;
    return STATUS_OK;
}

static int by_mean(const void *a, const void *b)
{
    const struct component *x = a, *y = b;
    if (x->mean != y->mean)
        return x->mean > y->mean ? 1 : -1;
    return (x->variance > y->variance) - (x->variance < y->variance);
}

/* Sorts components from..count-1 and makes one of those that are equal but for rounding. Those with equal means may
 * be interleaved by their variances, so a component looks back along all that are within reach. */
static void merge(struct components *list, size_t from, double rounding)
{
    size_t kept = from;
    qsort(list->part + from, list->count - from, sizeof *list->part, by_mean);
    for (size_t k = from; k < list->count; k++) {
        struct component c = list->part[k];
        double near = fmax(MERGE_TOLERANCE * sqrt(c.variance), rounding);
        size_t back = kept;
        if (c.weight < NEGLIGIBLE_WEIGHT)
            continue;
        while (back > from && kept - back < FAR_BACK && c.mean - list->part[back - 1].mean <= near
               && fabs(c.variance - list->part[back - 1].variance) > MERGE_TOLERANCE * c.variance)
            back--;
        if (back > from && kept - back < FAR_BACK && c.mean - list->part[back - 1].mean <= near)
            list->part[back - 1].weight += c.weight;
        else
            list->part[kept++] = c;
    }
    list->count = kept;
}

/* What n additions of means of this size leave of their equality. */
static double mean_rounding(const struct components *list, size_t from, double n)
{
    double largest = 0.0;
    for (size_t k = from; k < list->count; k++)
        largest = fmax(largest, fabs(list->part[k].mean));
    return 4.0 * 0x1p-53 * n * largest;
}

/* ---- from factors to parts ---- */

static double quadratic_form(const double *matrix, size_t n, const double *u)
{
    double total = 0.0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            total += u[i] * matrix[i * n + j] * u[j];
    return total;
}

/* shared: u'Su of a covariance that all components have. */
static struct component project(const struct factor *factor, size_t k, const double *u, const struct level *level,
                                double shared)
{
    size_t n = factor->dimension;
    double mean = 0.0, square = 0.0, spread = shared;
    for (size_t i = 0; i < n; i++) {
        mean += factor->mean != NULL ? u[i] * factor->mean[k * n + i] : 0.0;
        square += u[i] * u[i];
    }
    if (factor->full != NULL && factor->full->count > 1)
        spread = quadratic_form(factor->full->entry + k * n * n, n, u);
    else if (factor->full == NULL)
        spread = factor->sd[k] * factor->sd[k] * square;
    return (struct component){factor->weight[k], sqrt(level->alpha_bar) * mean,
                              level->alpha_bar * spread + level->noise * square};
}

/* Moves the components of a new part to mean 0 and weight 1, and adds it to the whole. density: NULL, or share times
 * it is the part without its noise. */
static enum status close_part(struct parts *parts, size_t first, double copies, const struct density *density,
                              double share, struct error *error)
{
    struct component *c = parts->all.part + first;
    size_t count = parts->all.count - first;
    double weight = 0.0, mean = 0.0, variance = 0.0, least = c[0].variance;
    double rounding = mean_rounding(&parts->all, first, 1.0);
    for (size_t k = 0; k < count; k++)
        weight += c[k].weight;
    for (size_t k = 0; k < count; k++)
        mean += c[k].weight / weight * c[k].mean;
    for (size_t k = 0; k < count; k++) {
        c[k].weight /= weight;
        c[k].mean -= mean;
        variance += c[k].weight * (c[k].variance + c[k].mean * c[k].mean);
        least = fmin(least, c[k].variance);
    }
    merge(&parts->all, first, rounding);
    parts->mean += copies * mean;
    parts->variance += copies * variance;
    parts->least_variance += copies * least;
    if (parts->all.count - first == 1) {
        parts->gaussian += copies * c[0].variance;
        parts->all.count = first;
        return STATUS_OK;
    }
    struct projected_part *grown = array_reserve(parts->part, &parts->capacity, parts->count + 1, sizeof *grown);
    if (grown == NULL)
        return out_of_memory(error);
    parts->part = grown;
    parts->part[parts->count++] =
        (struct projected_part){first, parts->all.count - first, copies, least, density, share, mean};
    return STATUS_OK;
}

/* The atoms of products of atoms along one coordinate, or along all alike. */
static enum status add_atoms(struct parts *parts, const struct factor *factor, const double *u,
                             const struct level *level, struct error *error)
{
    const double *tilt = factor_tilts(factor);
    double length = 0.0, root = sqrt(level->alpha_bar), square = 0.0;
    size_t n = 0, d = factor->dimension;
    bool alike = true;
    for (size_t i = 0; i < d; i++) {
        alike &= u[i] == 0.0 || n == 0 || u[i] == length;
        length = u[i] != 0.0 && n == 0 ? u[i] : length;
        n += u[i] != 0.0;
        square += u[i] * u[i];
    }
    if (!alike)
        return fail_with(error, STATUS_UNSUPPORTED,
                         "the law of %zu spins is known along coordinates and sums of coordinates alone", d);
    for (size_t up = 0; up <= n; up++) {
        double weight = 0.0,
               choose = lgamma((double)n + 1.0) - lgamma((double)up + 1.0) - lgamma((double)(n - up) + 1.0);
        for (size_t k = 0; k < factor->components; k++)
            weight += exp(factor_log_weight(factor, k) + choose - (double)up * log1p(exp(-2.0 * tilt[k]))
                          - (double)(n - up) * log1p(exp(2.0 * tilt[k])));
        TRY(components_add(
            &parts->all,
            (struct component){weight, root * length * (2.0 * (double)up - (double)n), level->noise * square},
            error));
    }
    return STATUS_OK;
}

static enum status add_copies(struct parts *parts, const struct factor *factor, const double *u, double copies,
                              const struct level *level, struct error *error)
{
    size_t first = parts->all.count;
    int zero = 1;
    for (size_t i = 0; i < factor->dimension; i++)
        zero = zero && u[i] == 0.0;
    if (zero)
        return STATUS_OK;
    double shared = 0.0;
    if (factor->full != NULL && factor->full->count == 1)
        shared = quadratic_form(factor->full->entry, factor->dimension, u);
    const struct density *density = factor->density;
    struct factor masses = *factor;
    if (density != NULL)
        masses = (struct factor){.dimension = 1,
                                 .components = density->masses,
                                 .weight = density->weight,
                                 .mean = density->position,
                                 .sd = density->zero};
    bool atoms = factor_tilts(factor) != NULL;
    if (atoms)
        TRY(add_atoms(parts, factor, u, level, error));
    for (size_t k = 0; k < masses.components && !atoms; k++)
        TRY(components_add(&parts->all, project(&masses, k, u, level, shared), error));
    return close_part(parts, first, copies, density, sqrt(level->alpha_bar) * u[0], error);
}

/* A copy's part of u. */
struct share {
    const double *u;
    size_t dimension;
};

static int by_numbers(const void *a, const void *b)
{
    const struct share *x = a, *y = b;
    for (size_t i = 0; i < x->dimension; i++)
        if (x->u[i] != y->u[i])
            return x->u[i] > y->u[i] ? 1 : -1;
    return 0;
}

/* All copies of a factor; those with equal parts of u together. */
static enum status add_group(struct parts *parts, const struct factor *factor, const double *u, size_t copies,
                             const struct level *level, struct error *error)
{
    enum status status = STATUS_OK;
    struct share *share = array_new(copies, sizeof *share);
    if (share == NULL)
        return out_of_memory(error);
    for (size_t c = 0; c < copies; c++)
        share[c] = (struct share){u + c * factor->dimension, factor->dimension};
    qsort(share, copies, sizeof *share, by_numbers);
    for (size_t c = 0, same; c < copies && status == STATUS_OK; c += same) {
        for (same = 1; c + same < copies && by_numbers(&share[c], &share[c + same]) == 0;)
            same++;
        status = add_copies(parts, factor, share[c].u, (double)same, level, error);
    }
    free(share);
    return status;
}

static enum status check_direction(size_t d, const double *u, struct error *error)
{
    int zero = 1;
    for (size_t i = 0; i < d; i++) {
        if (!isfinite(u[i]))
            return fail_with(error, STATUS_INVALID, "coordinate %zu of a direction is %g", i + 1, u[i]);
        zero = zero && u[i] == 0.0;
    }
    return zero ? fail_with(error, STATUS_INVALID, "a direction of %zu coordinates is 0", d) : STATUS_OK;
}

enum status parts_new(const struct factor_list *list, const double *u, const struct level *level, struct parts *out,
                      struct error *error)
{
    size_t d;
    *out = (struct parts){0};
    TRY(projected_dimension(list, &d, error));
    enum status status = check_direction(d, u, error);
    for (size_t g = 0; g < list->count && status == STATUS_OK; g++) {
        const struct factor_group *group = &list->group[g];
        status = add_group(out, &group->factor, u, (size_t)group->multiplicity, level, error);
        u += (size_t)group->multiplicity * group->factor.dimension;
    }
    return status;
}

void parts_free(struct parts *parts)
{
    free(parts->part);
    free(parts->all.part);
    *parts = (struct parts){0};
}

/* ---- what is asked of the whole ---- */

struct complex_block {
    double real[PARTS_BLOCK], imaginary[PARTS_BLOCK];
};

/* a *= b; returns the largest |a|^2. */
static double multiply(size_t n, struct complex_block *a, const struct complex_block *b)
{
    double largest = 0.0;
    for (size_t j = 0; j < n; j++) {
        double real = a->real[j] * b->real[j] - a->imaginary[j] * b->imaginary[j];
        a->imaginary[j] = a->real[j] * b->imaginary[j] + a->imaginary[j] * b->real[j];
        a->real[j] = real;
        largest = fmax(largest, real * real + a->imaginary[j] * a->imaginary[j]);
    }
    return largest;
}

/* Adds a component's at t = step (first + j), j < n <= PARTS_BLOCK; a turn by few steps from an exact angle is exact
 * enough. */
static void add_component(const struct component *c, double step, size_t first, size_t n, struct complex_block *sum)
{
    double size[PARTS_BLOCK] = {0}, angle = step * (double)first * c->mean;
    double cosine = cos(angle), sine = sin(angle), turn_cosine = cos(step * c->mean), turn_sine = sin(step * c->mean);
    for (size_t j = 0; j < n; j++) {
        double t = step * (double)(first + j);
        size[j] = -0.5 * c->variance * t * t;
    }
    vexp(n, size, size);
    for (size_t j = 0; j < n; j++) {
        double turned = cosine * turn_cosine - sine * turn_sine;
        sum->real[j] += c->weight * size[j] * cosine;
        sum->imaginary[j] += c->weight * size[j] * sine;
        sine = sine * turn_cosine + cosine * turn_sine;
        cosine = turned;
    }
}

/* The same of a density with its noise, in the place of the sum. */
static void set_density(const struct projected_part *part, double step, size_t first, size_t n,
                        struct complex_block *out)
{
    for (size_t j = 0; j < n; j++) {
        double t = step * (double)(first + j), size = exp(-0.5 * part->least_variance * t * t), real, imaginary;
        density_characteristic(part->density, t * part->share, &real, &imaginary);
        double cosine = size * cos(t * part->origin), sine = size * sin(t * part->origin);
        out->real[j] = real * cosine + imaginary * sine;
        out->imaginary[j] = imaginary * cosine - real * sine;
    }
}

void parts_characteristic(const struct parts *parts, double step, size_t first, size_t n, double *real,
                          double *imaginary)
{
    struct complex_block whole = {0};
    double largest = 1.0;
    add_component(&(struct component){1.0, 0.0, parts->gaussian}, step, first, n, &whole);
    for (size_t p = 0; p < parts->count && largest > 1e-80; p++) { /* the rest only makes it smaller */
        struct complex_block power = {0};
        if (parts->part[p].density != NULL)
            set_density(&parts->part[p], step, first, n, &power);
        for (size_t k = 0; k < parts->part[p].count && parts->part[p].density == NULL; k++)
            add_component(&parts->all.part[parts->part[p].first + k], step, first, n, &power);
        for (size_t copies = (size_t)parts->part[p].copies; copies > 0; copies /= 2) {
            struct complex_block square = power;
            if (copies % 2 == 1)
                largest = multiply(n, &whole, &power);
            (void)multiply(n, &power, &square);
        }
    }
    for (size_t j = 0; j < n; j++) {
        real[j] = largest > 1e-80 ? whole.real[j] : 0.0;
        imaginary[j] = largest > 1e-80 ? whole.imaginary[j] : 0.0;
    }
}

/* log of sum_k w_k exp(tilt m_k + v_k square/2), for each part with its copies, and added up. */
static double log_sum(const struct parts *parts, double tilt, double square)
{
    double total = 0.5 * parts->gaussian * square;
    for (size_t p = 0; p < parts->count; p++) {
        const struct component *c = parts->all.part + parts->part[p].first;
        double largest = -HUGE_VAL, sum = 0.0;
        for (size_t k = 0; k < parts->part[p].count; k++)
            largest = fmax(largest, tilt * c[k].mean + 0.5 * c[k].variance * square);
        for (size_t k = 0; k < parts->part[p].count; k++)
            sum += c[k].weight * exp(tilt * c[k].mean + 0.5 * c[k].variance * square - largest);
        total += parts->part[p].copies * (largest + log(sum));
    }
    return total;
}

/* Chernoff: P(X - mean > z) <= E exp(s (X - mean) - s z) for every s > 0. z is unimodal in log s and flat where it is
 * least, so a coarse grid serves: 2% more than the best. */
double parts_tail(const struct parts *parts, double side, double log_probability)
{
    double best = HUGE_VAL, sd = sqrt(parts->variance);
    for (double s = 1e-6; s < 1e4; s *= 1.5) {
        double z = (log_sum(parts, side * s / sd, s * s / parts->variance) - log_probability) / s;
        if (z > best)
            break;
        best = z;
    }
    return best * sd;
}

/* |phi(t)| <= sum_k w_k exp(-v_k t^2/2) in each part, which falls in t. */
double parts_frequency(const struct parts *parts, double log_size)
{
    double low = 0.0, high = sqrt(-2.0 * log_size / parts->least_variance);
    for (int step = 0; step < 40 && high > 1.01 * low; step++) {
        double t = 0.5 * (low + high);
        *(log_sum(parts, 0.0, -t * t) > log_size ? &low : &high) = t;
    }
    return high;
}

static enum status convolve(const struct component *part, size_t count, double before, struct components *whole,
                            struct components *scratch, struct error *error)
{
    scratch->count = 0;
    for (size_t a = 0; a < whole->count; a++)
        for (size_t b = 0; b < count; b++) {
            struct component c = {whole->part[a].weight * part[b].weight, whole->part[a].mean + part[b].mean,
                                  whole->part[a].variance + part[b].variance};
            TRY(components_add(scratch, c, error));
        }
    merge(scratch, 0, mean_rounding(scratch, 0, before + 1.0));
    struct components swap = *whole;
    *whole = *scratch;
    *scratch = swap;
    return STATUS_OK;
}

enum status parts_combine(const struct parts *parts, size_t most, struct components *out, int *complete,
                          struct error *error)
{
    struct components scratch = {0};
    double convolved = 0.0;
    bool densities = false;
    enum status status = components_add(out, (struct component){1.0, 0.0, parts->gaussian}, error);
    for (size_t p = 0; p < parts->count; p++) {
        const struct projected_part *part = &parts->part[p];
        const struct component *c = parts->all.part + part->first;
        densities |= part->density != NULL;
        for (double copy = 0.0; copy < part->copies && status == STATUS_OK && out->count <= most && !densities;
             copy += 1.0)
            status = convolve(c, part->count, convolved++, out, &scratch, error);
    }
    *complete = out->count <= most && !densities;
    free(scratch.part);
    return status;
}
