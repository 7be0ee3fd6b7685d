#include "model/spins_level.h"

#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"

enum { CHUNK = 64 /* points together */, FACTORS = 4 /* of a product before its logarithm: each is above e^-150 */ };

enum status spins_level_new(const struct factor *factor, struct spins_level *out, struct error *error)
{
    const double *tilt = factor_tilts(factor);
    size_t components = factor->components, d = factor->dimension;
    *out = (struct spins_level){.factor = factor};
    out->up = array_new(components, 2 * sizeof *out->up);
    out->scratch =
        components <= SIZE_MAX / 2 && d <= SIZE_MAX / 4 ? array_new(components + d, CHUNK * sizeof(double)) : NULL;
    if (out->up == NULL || out->scratch == NULL) {
        spins_level_free(out);
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu components of %zu atoms", components, d);
    }
    out->down = out->up + components;
    for (size_t k = 0; k < components; k++) {
        out->up[k] = 1.0 / (1.0 + exp(-2.0 * tilt[k]));
        out->down[k] = 1.0 / (1.0 + exp(2.0 * tilt[k]));
    }
    return STATUS_OK;
}

void spins_level_free(struct spins_level *spins)
{
    free(spins->up);
    free(spins->scratch);
    *spins = (struct spins_level){0};
}

void spins_level_set(struct spins_level *spins, const struct level *level)
{
    spins->level = *level;
    spins->root_alpha_bar = sqrt(level->alpha_bar);
}

/* e^(-2a|x|) of coordinate i, and what the nearer atoms add to log p. */
VECTOR_CLONES static void compare_atoms(const struct spins_level *spins, size_t n, const double *x, double *far,
                                        double *log_density)
{
    double root = spins->root_alpha_bar, slope = -2.0 * root / spins->level.noise, half = 0.5 / spins->level.noise;
    for (size_t j = 0; j < n; j++) {
        double u = fabs(x[j]) - root;
        far[j] = slope * fabs(x[j]);
        log_density[j] -= half * (u * u);
    }
    vexp(n, far, far);
}

/* Multiplies by P_k(s) + P_k(-s) e^(-2a|x|). */
VECTOR_CLONES static void multiply(double up, double down, size_t n, const double *x, const double *far,
                                   double *product)
{
    for (size_t j = 0; j < n; j++) {
        double near = x[j] < 0.0 ? down : up, other = x[j] < 0.0 ? up : down;
        product[j] *= near + other * far[j];
    }
}

/* Adds component k's posterior probability times that of the farther atom, given the component. */
VECTOR_CLONES static void add_far(double up, double down, size_t n, const double *x, const double *far,
                                  const double *posterior, double *out)
{
    for (size_t j = 0; j < n; j++) {
        double near = x[j] < 0.0 ? down : up, other = (x[j] < 0.0 ? up : down) * far[j];
        out[j] += posterior[j] * (other / (near + other));
    }
}

/* The logarithm of the sum over components of their weights, which become posterior probabilities. */
static void normalise(const struct spins_level *spins, size_t n, double *log_weight, double *out)
{
    size_t components = spins->factor->components;
    double largest[CHUNK], total[CHUNK];
    for (size_t j = 0; j < n; j++)
        largest[j] = -HUGE_VAL;
    for (size_t k = 0; k < components; k++)
        for (size_t j = 0; j < n; j++)
            largest[j] = fmax(largest[j], log_weight[k * CHUNK + j]);
    vexp_rows(components, CHUNK, n, largest, log_weight, total);
    for (size_t k = 0; k < components; k++)
        for (size_t j = 0; j < n; j++)
            log_weight[k * CHUNK + j] /= total[j];
    for (size_t j = 0; j < n; j++)
        out[j] += largest[j] + log(total[j]);
}

static void weigh(const struct spins_level *spins, size_t k, size_t n, size_t stride, const double *x,
                  const double *far, double *log_weight)
{
    double product[CHUNK], part[CHUNK], start = factor_log_weight(spins->factor, k);
    size_t d = spins->factor->dimension;
    for (size_t j = 0; j < n; j++) {
        log_weight[j] = start;
        product[j] = 1.0;
    }
    for (size_t i = 0; i < d; i++) {
        multiply(spins->up[k], spins->down[k], n, x + i * stride, far + i * CHUNK, product);
        if ((i + 1) % FACTORS != 0 && i + 1 < d)
            continue;
        vlog(n, product, part);
        for (size_t j = 0; j < n; j++) {
            log_weight[j] += part[j];
            product[j] = 1.0;
        }
    }
}

static void evaluate_chunk(const struct spins_level *spins, size_t n, size_t stride, const double *x,
                           double *log_density, double *score)
{
    size_t components = spins->factor->components, d = spins->factor->dimension;
    double *posterior = spins->scratch, *far = spins->scratch + components * CHUNK, root = spins->root_alpha_bar;
    for (size_t j = 0; j < n; j++)
        log_density[j] = -0.5 * (double)d * log(2.0 * M_PI * spins->level.noise);
    for (size_t i = 0; i < d; i++)
        compare_atoms(spins, n, x + i * stride, far + i * CHUNK, log_density);
    for (size_t k = 0; k < components; k++)
        weigh(spins, k, n, stride, x, far, posterior + k * CHUNK);
    normalise(spins, n, posterior, log_density);
    for (size_t i = 0; i < d && score != NULL; i++) {
        double *out = score + i * stride;
        const double *at = x + i * stride;
        for (size_t j = 0; j < n; j++)
            out[j] = 0.0;
        for (size_t k = 0; k < components; k++)
            add_far(spins->up[k], spins->down[k], n, at, far + i * CHUNK, posterior + k * CHUNK, out);
        for (size_t j = 0; j < n; j++) {
            double near = copysign(root, at[j] < 0.0 ? -1.0 : 1.0);
            out[j] = ((near - at[j]) - 2.0 * near * out[j]) / spins->level.noise;
        }
    }
}

void spins_level_evaluate(const struct spins_level *spins, size_t n, size_t stride, const double *x,
                          double *log_density, double *score)
{
    double own[CHUNK];
    for (size_t start = 0; start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK;
        evaluate_chunk(spins, count, stride, x + start, log_density != NULL ? log_density + start : own,
                       score != NULL ? score + start : NULL);
    }
}

/* The component by the first uniform, what is left of which is one again, for the first coordinate. */
void spins_level_draw(const struct spins_level *spins, size_t stride, const double *uniforms, const double *normals,
                      double *out)
{
    const struct factor *factor = spins->factor;
    size_t k = 0;
    double below = 0.0, sd = sqrt(spins->level.noise);
    while (k + 1 < factor->components && uniforms[0] >= below + factor->weight[k])
        below += factor->weight[k++];
    for (size_t i = 0; i < factor->dimension; i++) {
        double u = i == 0 ? (uniforms[0] - below) / factor->weight[k] : uniforms[i * stride];
        out[i * stride] = (u < spins->up[k] ? 1.0 : -1.0) * spins->root_alpha_bar + sd * normals[i * stride];
    }
}
