#include "model/joint_level.h"

#include <cblas.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/memory.h"
#include "core/vmath.h"
#include "model/joint_plane.h"
#include "model/spectra.h"

/* Points are evaluated together in chunks whose working set stays in the first caches. */
enum { CHUNK = JOINT_POINTS };

/* |x - c|^2 by matrix products: worth it from so many coordinates times components on, and taken while its rounding
 * is no more than this part of the smallest variance. More components than BLOCK are taken in blocks, whose working
 * set stays in the second cache, always by products; where these are not good enough, distances of all components
 * that may count are found again, one by one. */
enum { BLOCK = JOINT_BLOCK };
#define PRODUCTS_LEAST_SIZE 64
#define PRODUCTS_TOLERANCE 1e-9

static int shares(const struct joint_level *joint)
{
    return joint->spectra != NULL && joint->spectra->count == 1;
}

/* Components whose exponents are kept at a time. */
static size_t block_size(const struct joint_level *joint)
{
    const struct factor *factor = joint->factor;
    return factor->mean == NULL || factor->components < BLOCK ? factor->components : BLOCK;
}

/* Whether the centres are the target's means as they are. */
static bool around_0(const struct factor *factor)
{
    bool zero = factor->mean != NULL && factor->full == NULL;
    for (size_t i = 0; i < factor->dimension && zero; i++)
        zero = factor->mean[i] == 0.0;
    return zero;
}

static enum status allocate(struct joint_level *joint, struct error *error)
{
    size_t k = joint->factor->components, n = joint->factor->dimension, rows = block_size(joint);
    int fits = k < SIZE_MAX / (16 * CHUNK) && n < SIZE_MAX / (32 * CHUNK) / k;
    bool owns = fits && !around_0(joint->factor);
    joint->inverse_variance = fits ? array_new(4 * k + (rows + 4 + 3 * n) * CHUNK, sizeof(double)) : NULL;
    joint->own_centre = owns ? array_new(k, n * sizeof(double)) : NULL;
    bool plane = n == 2 && joint->factor->mean != NULL;
    joint->ellipse = plane ? array_new(k, sizeof *joint->ellipse) : NULL;
    if (joint->inverse_variance == NULL || (owns && joint->own_centre == NULL) || (plane && joint->ellipse == NULL))
        return fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components in %zu coordinates", k,
                         n);
    joint->log_constant = joint->inverse_variance + k;
    joint->sd = joint->inverse_variance + 2 * k;
    joint->square = joint->inverse_variance + 3 * k;
    joint->scratch = joint->inverse_variance + 4 * k;
    joint->centre = owns ? joint->own_centre : joint->factor->mean;
    return STATUS_OK;
}

/* m_k - m_0 and their squares, of isotropic components. */
static void fill_centres(struct joint_level *joint)
{
    size_t n = joint->factor->dimension;
    const double *mean = joint->factor->mean;
    for (size_t k = 0; k < joint->factor->components; k++)
        for (size_t i = 0; i < n; i++) {
            double centre = mean[k * n + i] - mean[i];
            joint->square[k] += centre * centre;
            if (joint->own_centre != NULL)
                joint->own_centre[k * n + i] = centre;
        }
}

/* U'(m_k - m_0) for the eigenvectors U of the shared covariance S, which are those of A S + O I at every level. */
static enum status rotate_centres(struct joint_level *joint, struct error *error)
{
    const struct factor *factor = joint->factor;
    size_t n = factor->dimension, k = factor->components;
    double *difference = array_new(n, CHUNK * sizeof *difference), *column = array_new(n, CHUNK * sizeof *column);
    joint->rotated = array_new(n, k * sizeof *joint->rotated);
    enum status status = STATUS_OK;
    if (difference == NULL || column == NULL || joint->rotated == NULL)
        status = fail_with(error, STATUS_MEMORY, "out of memory for %zu centres in %zu coordinates", k, n);
    for (size_t start = 0; start < k && factor->mean != NULL && status == STATUS_OK; start += CHUNK) {
        size_t count = k - start < CHUNK ? k - start : CHUNK;
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < count; j++)
                difference[i * CHUNK + j] = factor->mean[(start + j) * n + i] - factor->mean[i];
        spectra_into(joint->spectra, 0, CHUNK, difference, column);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < count; j++)
                joint->rotated[(start + j) * n + i] = column[i * CHUNK + j];
    }
    free(difference);
    free(column);
    return status;
}

enum status joint_level_new(const struct factor *factor, struct joint_level *out, struct error *error)
{
    *out = (struct joint_level){.factor = factor};
    enum status status = allocate(out, error);
    if (status == STATUS_OK && factor->full != NULL)
        status = spectra_new(factor->full, factor->dimension, &out->spectra, error);
    if (status == STATUS_OK && shares(out))
        status = rotate_centres(out, error);
    if (status == STATUS_OK && factor->full == NULL && factor->mean != NULL)
        fill_centres(out);
    if (status != STATUS_OK)
        joint_level_free(out);
    return status;
}

void joint_level_free(struct joint_level *joint)
{
    free(joint->inverse_variance);
    free(joint->own_centre);
    free(joint->ellipse);
    free(joint->rotated);
    spectra_free(joint->spectra);
    *joint = (struct joint_level){0};
}

static void set_variances(struct joint_level *joint)
{
    const struct factor *factor = joint->factor;
    for (size_t k = 0; k < factor->components; k++) {
        double log_det, variance = 1.0;
        if (joint->spectra != NULL)
            log_det = spectra_log_det(joint->spectra, shares(joint) ? 0 : k);
        else {
            variance = joint->level.alpha_bar * factor->sd[k] * factor->sd[k] + joint->level.noise;
            log_det = (double)factor->dimension * log(2.0 * M_PI * variance);
        }
        joint->sd[k] = sqrt(variance);
        joint->inverse_variance[k] = 1.0 / variance;
        joint->log_constant[k] = factor_log_weight(factor, k) - 0.5 * log_det;
    }
}

/* How far off two exponents by matrix products may be of one another: |z|^2, 2 <c, z> <= |z|^2 + |c|^2 and |c|^2 are
 * sums of n terms, so that the exponent -(|z|^2 - 2 <c, z> + |c|^2)/(2 V) is off by at most (n + 3) 2^-53 (|z|^2 +
 * |c|^2)/V. true: by little. Args: the largest |c|^2 and the smallest V. */
static bool set_slack(struct joint_level *joint, double farthest, double narrowest)
{
    bool sharp = 1e-16 * farthest < PRODUCTS_TOLERANCE * narrowest;
    joint->slack = sharp ? 0.0 : 2.0 * 0x1p-53 * ((double)joint->factor->dimension + 3.0) / narrowest;
    joint->farthest = farthest;
    return sharp;
}

static void set_ellipses(struct joint_level *joint)
{
    for (size_t k = 0; k < joint->factor->components; k++) {
        double sd = joint->sd[k];
        struct joint_ellipse *out = &joint->ellipse[k];
        *out = (struct joint_ellipse){sd, sd, {1.0, 0.0}, {sd, sd}, 0.0, sd};
        if (joint->spectra == NULL)
            continue;
        size_t at = shares(joint) ? 0 : k;
        const double *value = joint->spectra->value + 2 * at, *variance = joint->spectra->variance + 2 * at,
                     *vector = joint->spectra->vector + 4 * at;
        /* eigenvalues of diagonal matrices are in the order of the axes */
        size_t i = value[0] <= value[1] ? 0u : 1u, j = 1 - i;
        double c = vector[i], s = vector[2 + i], xy = c * s * joint->level.alpha_bar * (value[i] - value[j]);
        *out = (struct joint_ellipse){.narrow = sqrt(variance[i]), .wide = sqrt(variance[j]), .axis = {c, s}};
        out->sd[0] = hypot(c * out->narrow, s * out->wide);
        out->sd[1] = hypot(s * out->narrow, c * out->wide);
        out->slope = xy / (out->sd[1] * out->sd[1]);
        out->along = out->narrow * (out->wide / out->sd[1]);
    }
}

/* Of a shared covariance V = U L U': L^(-1/2) U'sqrt(A)(m_k - m_0) and their squares. */
static void scale_centres(struct joint_level *joint)
{
    size_t n = joint->factor->dimension;
    double *scale = joint->scratch, farthest = 0.0;
    for (size_t i = 0; i < n; i++)
        scale[i] = joint->root_alpha_bar / sqrt(joint->spectra->variance[i]);
    for (size_t k = 0; k < joint->factor->components; k++) {
        joint->square[k] = 0.0;
        for (size_t i = 0; i < n; i++) {
            double centre = joint->own_centre[k * n + i] = scale[i] * joint->rotated[k * n + i];
            joint->square[k] += centre * centre;
        }
        farthest = fmax(farthest, joint->square[k] + (double)n);
    }
    (void)set_slack(joint, farthest, 1.0);
}

/* Decides whether distances between isotropic components come from matrix products. */
static void choose_products(struct joint_level *joint)
{
    size_t n = joint->factor->dimension, components = joint->factor->components;
    double farthest = 0.0, narrowest = HUGE_VAL;
    for (size_t k = 0; k < components; k++) {
        double variance = joint->sd[k] * joint->sd[k];
        farthest = fmax(farthest, joint->level.alpha_bar * joint->square[k] + (double)n * variance);
        narrowest = fmin(narrowest, variance);
    }
    bool sharp = set_slack(joint, farthest, narrowest);
    joint->by_products = components > BLOCK || (n * components >= PRODUCTS_LEAST_SIZE && sharp);
}

void joint_level_set(struct joint_level *joint, const struct level *level)
{
    joint->level = *level;
    joint->root_alpha_bar = sqrt(level->alpha_bar);
    if (joint->spectra != NULL)
        spectra_set(joint->spectra, level);
    set_variances(joint);
    if (joint->ellipse != NULL)
        set_ellipses(joint);
    joint->by_products = shares(joint);
    joint->product_scale = shares(joint) ? 1.0 : joint->root_alpha_bar;
    if (shares(joint))
        scale_centres(joint);
    else if (joint->spectra == NULL && joint->factor->mean != NULL)
        choose_products(joint);
}

/* out += (x_i - c_i)^2 for one coordinate i. */
VECTOR_CLONES static void add_squares(size_t n, const double *x, double centre, double *out)
{
    for (size_t j = 0; j < n; j++) {
        double u = x[j] - centre;
        out[j] += u * u;
    }
}

/* The log-weights l_k = log(w_k N(x; c_k, V_k)) into the scratch, and max_k l_k. */
VECTOR_CLONES static void exponents(const struct joint_level *joint, size_t anchor, size_t n, size_t stride,
                                    const double *x, double *largest)
{
    size_t components = joint->factor->components, d = joint->factor->dimension;
    double *shared = joint->scratch + (components - 1) * CHUNK; /* the last is overwritten last */
    int concentric = joint->factor->mean == NULL;
    for (size_t j = 0; concentric && j < n; j++)
        shared[j] = 0.0;
    for (size_t i = 0; concentric && i < d; i++)
        add_squares(n, x + i * stride, 0.0, shared);
    for (size_t k = 0; k < components; k++) {
        double *exponent = joint->scratch + k * CHUNK, *square = concentric ? shared : exponent;
        double constant = joint->log_constant[k], half = 0.5 * joint->inverse_variance[k];
        for (size_t j = 0; !concentric && j < n; j++)
            square[j] = 0.0;
        for (size_t i = 0; !concentric && i < d; i++)
            add_squares(n, x + i * stride, joint_level_centre(joint, k, anchor, i), square);
        for (size_t j = 0; j < n; j++) {
            exponent[j] = constant - half * square[j];
            largest[j] = k > 0 && largest[j] > exponent[j] ? largest[j] : exponent[j];
        }
    }
}

/* The score -sum_k p_k (x - c_k)/V_k with p_k the posterior probability of component k. */
VECTOR_CLONES static void gradient(const struct joint_level *joint, size_t anchor, size_t n, size_t stride,
                                   const double *x, const double *total, double *score)
{
    size_t components = joint->factor->components, d = joint->factor->dimension;
    for (size_t k = 0; k < components; k++) {
        double *weight = joint->scratch + k * CHUNK, inverse = joint->inverse_variance[k];
        for (size_t j = 0; j < n; j++)
            weight[j] *= inverse / total[j];
    }
    for (size_t i = 0; i < d; i++) {
        double *out = score + i * stride;
        const double *at = x + i * stride;
        for (size_t j = 0; j < n; j++)
            out[j] = 0.0;
        for (size_t k = 0; k < components; k++) {
            double centre = joint_level_centre(joint, k, anchor, i), *weight = joint->scratch + k * CHUNK;
            for (size_t j = 0; j < n; j++)
                out[j] -= weight[j] * (at[j] - centre);
        }
    }
}

/* The points relative to sqrt(A) m_0, filled up with zeros to CHUNK: the bits of a matrix product depend on its
 * shape, which is therefore always the same. */
static void copy_points(const struct joint_level *joint, size_t anchor, size_t n, size_t stride, const double *x,
                        double *out)
{
    for (size_t i = 0; i < joint->factor->dimension; i++) {
        double shift = joint_level_centre(joint, anchor, 0, i);
        for (size_t j = 0; j < n; j++)
            out[i * CHUNK + j] = x[i * stride + j] + shift;
        for (size_t j = n; j < CHUNK; j++)
            out[i * CHUNK + j] = 0.0;
    }
}

/* z -> L^(-1/2) z, from z = U'x; the gradient takes the same factor on its way back. */
static void divide_by_scales(const struct joint_level *joint, double *z)
{
    for (size_t i = 0; i < joint->factor->dimension; i++) {
        double inverse = 1.0 / sqrt(joint->spectra->variance[i]);
        for (size_t j = 0; j < CHUNK; j++)
            z[i * CHUNK + j] *= inverse;
    }
}

/* Components from, ..., from + rows - 1, and what they are compared with. */
struct block {
    size_t from, rows;
    const double *z, *norm; /* the points and |z|^2 */
    double *largest;        /* of the exponents, so far */
};

/* Exponents of the components that may count, where products have rounded too much, by distances one by one. */
static void refine(const struct joint_level *joint, const struct block *block)
{
    size_t d = joint->factor->dimension;
    for (size_t j = 0; j < CHUNK; j++) {
        double least = block->largest[j];
        for (size_t k = 0; k < block->rows; k++)
            least = fmax(least, joint->scratch[k * CHUNK + j]);
        least -= JOINT_NEGLIGIBLE + joint->slack * (block->norm[j] + joint->farthest);
        for (size_t k = 0; k < block->rows; k++) {
            double *exponent = joint->scratch + k * CHUNK + j, square = 0.0;
            const double *centre = joint->centre + (block->from + k) * d;
            if (*exponent < least)
                continue;
            for (size_t i = 0; i < d; i++) {
                double u = block->z[i * CHUNK + j] - joint->product_scale * centre[i];
                square += u * u;
            }
            *exponent =
                joint->log_constant[block->from + k] - 0.5 * joint->inverse_variance[block->from + k] * square;
        }
        for (size_t k = 0; k < block->rows; k++) /* what is far off by rounding alone is no largest */
            if (joint->scratch[k * CHUNK + j] < least)
                joint->scratch[k * CHUNK + j] = -HUGE_VAL;
    }
}

/* |x - c|^2 = |x|^2 - 2 <c, x> + |c|^2 with all <c, x> from one product. */
VECTOR_CLONES static void exponents_by_products(const struct joint_level *joint, const struct block *block)
{
    size_t d = joint->factor->dimension;
    double scale = joint->product_scale;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)block->rows, CHUNK, (int)d, scale,
                joint->centre + block->from * d, (int)d, block->z, CHUNK, 0.0, joint->scratch, CHUNK);
    for (size_t k = 0; k < block->rows; k++) {
        double *exponent = joint->scratch + k * CHUNK, half = 0.5 * joint->inverse_variance[block->from + k];
        double constant = joint->log_constant[block->from + k],
               square = scale * scale * joint->square[block->from + k];
        for (size_t j = 0; j < CHUNK; j++)
            exponent[j] = constant - half * ((block->norm[j] - 2.0 * exponent[j]) + square);
    }
    if (joint->slack > 0.0)
        refine(joint, block);
}

/* The block's largest exponents join those before; scale[j] is what sums so far are to be multiplied with. false: all
 * are 1. */
VECTOR_CLONES static bool raise_largest(const struct joint_level *joint, const struct block *block, double *scale)
{
    double rise = 0.0;
    for (size_t j = 0; j < CHUNK; j++)
        scale[j] = block->largest[j];
    for (size_t k = 0; k < block->rows; k++) {
        const double *exponent = joint->scratch + k * CHUNK;
        for (size_t j = 0; j < CHUNK; j++)
            block->largest[j] = block->largest[j] > exponent[j] ? block->largest[j] : exponent[j];
    }
    for (size_t j = 0; j < CHUNK; j++) {
        scale[j] -= block->largest[j];
        rise = rise < scale[j] ? rise : scale[j];
    }
    vexp(CHUNK, scale, scale);
    return rise < 0.0;
}

/* Exponents into weights over V_k, whose sums go into pull, and those of the weights into total. A component that is
 * negligible at every point is left out. false: all are. */
VECTOR_CLONES static bool weigh(const struct joint_level *joint, const struct block *block, double *total,
                                double *pull)
{
    bool any = false;
    for (size_t k = 0; k < block->rows; k++) {
        double *weight = joint->scratch + k * CHUNK, inverse = joint->inverse_variance[block->from + k];
        uint64_t near = 0;
        for (size_t j = 0; j < CHUNK; j++) {
            weight[j] -= block->largest[j];
            near += weight[j] > -JOINT_NEGLIGIBLE ? 1u : 0u;
        }
        if (near == 0) {
            memset(weight, 0, CHUNK * sizeof *weight);
            continue;
        }
        any = true;
        vexp(CHUNK, weight, weight);
        for (size_t j = 0; j < CHUNK; j++) {
            total[j] += weight[j];
            weight[j] *= inverse;
            pull[j] += weight[j];
        }
    }
    return any;
}

static void scale_rows(size_t rows, const double *scale, double *x)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < CHUNK; j++)
            x[i * CHUNK + j] *= scale[j];
}

/* The log-sum-exp over all components block by block, each relative to the largest exponent so far, and the score
 * -(sum_k p_k/V_k) z + sum_k (p_k/V_k) c_k (out; NULL: none), the second sum by one product a block. */
static void sum_by_products(const struct joint_level *joint, const double *z, double *largest, double *total,
                            double *out)
{
    size_t d = joint->factor->dimension, components = joint->factor->components;
    double norm[CHUNK] = {0.0}, pull[CHUNK] = {0.0}, scale[CHUNK];
    for (size_t i = 0; i < d; i++)
        add_squares(CHUNK, z + i * CHUNK, 0.0, norm);
    for (size_t j = 0; j < CHUNK; j++) {
        largest[j] = -HUGE_VAL;
        total[j] = 0.0;
    }
    if (out != NULL)
        memset(out, 0, d * CHUNK * sizeof *out);
    for (struct block block = {0, 0, z, norm, largest}; block.from < components; block.from += block.rows) {
        block.rows = components - block.from < BLOCK ? components - block.from : BLOCK;
        exponents_by_products(joint, &block);
        if (raise_largest(joint, &block, scale) && block.from > 0) {
            scale_rows(1, scale, total);
            scale_rows(1, scale, pull);
            scale_rows(out != NULL ? d : 0, scale, out);
        }
        if (weigh(joint, &block, total, pull) && out != NULL)
            cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)d, CHUNK, (int)block.rows, joint->product_scale,
                        joint->centre + block.from * d, (int)d, joint->scratch, CHUNK, 1.0, out, CHUNK);
    }
    for (size_t i = 0; i < d && out != NULL; i++)
        for (size_t j = 0; j < CHUNK; j++)
            out[i * CHUNK + j] = (out[i * CHUNK + j] - pull[j] * z[i * CHUNK + j]) / total[j];
}

/* The working set of a chunk. */
struct columns {
    double *largest, *total;  /* of the log-sum-exp; CHUNK each */
    double *x, *z, *gradient; /* d rows of CHUNK */
};

static void evaluate_by_products(const struct joint_level *joint, const struct columns *columns, int with_score)
{
    double *z = columns->x, *gradient = columns->gradient;
    if (shares(joint)) {
        z = columns->z;
        spectra_into(joint->spectra, 0, CHUNK, columns->x, z);
        divide_by_scales(joint, z);
    }
    double *out = !with_score ? NULL : shares(joint) ? columns->x : gradient;
    sum_by_products(joint, z, columns->largest, columns->total, out);
    if (!with_score || !shares(joint))
        return;
    divide_by_scales(joint, columns->x);
    spectra_back(joint->spectra, 0, CHUNK, 1.0, columns->x, 0.0, gradient);
}

/* Adds component k to the log-sum-exp of the components before it, whose sums are scaled to the new largest term. */
VECTOR_CLONES static void add_component(const struct joint_level *joint, size_t k, const struct columns *columns,
                                        int with_score)
{
    size_t d = joint->factor->dimension;
    const double *variance = joint->spectra->variance + k * d;
    double exponent[CHUNK] = {0.0}, scale[CHUNK], weight[CHUNK];
    for (size_t i = 0; i < d; i++) {
        double *z = columns->z + i * CHUNK, inverse = 1.0 / variance[i];
        for (size_t j = 0; j < CHUNK; j++) {
            exponent[j] += z[j] * (inverse * z[j]);
            z[j] *= inverse;
        }
    }
    for (size_t j = 0; j < CHUNK; j++) {
        exponent[j] = joint->log_constant[k] - 0.5 * exponent[j];
        double before = columns->largest[j], now = k > 0 && before > exponent[j] ? before : exponent[j];
        scale[j] = k > 0 ? before - now : -708.0;
        weight[j] = exponent[j] - now;
        columns->largest[j] = now;
    }
    vexp(CHUNK, scale, scale);
    vexp(CHUNK, weight, weight);
    for (size_t j = 0; j < CHUNK; j++)
        columns->total[j] = k > 0 ? columns->total[j] * scale[j] + weight[j] : weight[j];
    for (size_t i = 0; with_score && i < d; i++) {
        double *z = columns->z + i * CHUNK, *gradient = columns->gradient + i * CHUNK;
        for (size_t j = 0; j < CHUNK; j++) {
            z[j] *= weight[j];
            gradient[j] = k > 0 ? gradient[j] * scale[j] : 0.0;
        }
    }
}

/* Components with covariances of their own, one after the other. */
static void evaluate_each(const struct joint_level *joint, const struct columns *columns, int with_score)
{
    size_t d = joint->factor->dimension;
    for (size_t k = 0; k < joint->factor->components; k++) {
        for (size_t i = 0; i < d; i++) { /* from relative to the centre before to relative to this one */
            double shift = joint_level_centre(joint, k, k > 0 ? k - 1 : 0, i);
            for (size_t j = 0; j < CHUNK; j++)
                columns->x[i * CHUNK + j] -= shift;
        }
        spectra_into(joint->spectra, k, CHUNK, columns->x, columns->z);
        add_component(joint, k, columns, with_score);
        if (with_score)
            spectra_back(joint->spectra, k, CHUNK, -1.0, columns->z, 1.0, columns->gradient);
    }
    for (size_t i = 0; with_score && i < d; i++)
        for (size_t j = 0; j < CHUNK; j++)
            columns->gradient[i * CHUNK + j] /= columns->total[j];
}

/* Returns how many components it has summed. */
static size_t evaluate_chunk(const struct joint_level *joint, const struct joint_near *among, size_t anchor, size_t n,
                             size_t stride, const double *x, const struct columns *columns, double *score)
{
    size_t d = joint->factor->dimension;
    struct joint_near near;
    if (joint_plane_find(joint, among, anchor, n, stride, x, &near)) {
        joint_plane_evaluate(joint, &near, anchor, n, stride, x, columns->largest, columns->total, score);
        return near.count;
    }
    if (!joint->by_products && joint->spectra == NULL) {
        exponents(joint, anchor, n, stride, x, columns->largest);
        vexp_rows(joint->factor->components, CHUNK, n, columns->largest, joint->scratch, columns->total);
        if (score != NULL)
            gradient(joint, anchor, n, stride, x, columns->total, score);
        return joint->factor->components;
    }
    copy_points(joint, anchor, n, stride, x, columns->x);
    if (joint->by_products)
        evaluate_by_products(joint, columns, score != NULL);
    else
        evaluate_each(joint, columns, score != NULL);
    for (size_t i = 0; score != NULL && i < d; i++)
        memcpy(score + i * stride, columns->gradient + i * CHUNK, n * sizeof *score);
    return joint->factor->components;
}

size_t joint_level_evaluate(const struct joint_level *joint, size_t anchor, size_t n, size_t stride, const double *x,
                            double *log_density, double *score)
{
    size_t d = joint->factor->dimension;
    double *rest = joint->scratch + block_size(joint) * CHUNK;
    const struct columns columns = {rest, rest + CHUNK, rest + 2 * CHUNK, rest + (2 + d) * CHUNK,
                                    rest + (2 + 2 * d) * CHUNK};
    size_t functions = 0;
    struct joint_near all; /* that are near any of the points */
    bool found = n > CHUNK && joint_plane_find(joint, NULL, anchor, n, stride, x, &all);
    for (size_t start = 0; start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK;
        functions += count
                     * evaluate_chunk(joint, found ? &all : NULL, anchor, count, stride, x + start, &columns,
                                      score == NULL ? NULL : score + start);
        if (log_density == NULL)
            continue;
        functions += count;
        vlog(count, columns.total, columns.total);
        for (size_t j = 0; j < count; j++)
            log_density[start + j] = columns.largest[j] + columns.total[j];
    }
    return functions;
}

void joint_level_deviate(const struct joint_level *joint, size_t k, const double *z, size_t stride, double *out)
{
    size_t n = joint->factor->dimension;
    if (joint->spectra == NULL) {
        for (size_t i = 0; i < n; i++)
            out[i * stride] += joint->sd[k] * z[i];
        return;
    }
    size_t matrix = shares(joint) ? 0 : k;
    const double *vector = joint->spectra->vector + matrix * n * n, *variance = joint->spectra->variance + matrix * n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            out[i * stride] += vector[i * n + j] * (sqrt(variance[j]) * z[j]);
}
