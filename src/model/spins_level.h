/* A mixture of products of atoms (factor_tilts) at a noise level (A, O): with a = sqrt(A)/O and t_k the tilts,
 *     p(x) = sum_k w_k prod_i [P_k(+) N(x_i; sqrt(A), O) + P_k(-) N(x_i; -sqrt(A), O)],
 * P_k(+-) = 1/(1 + e^(-+2 t_k)), and the score is (sqrt(A) E[X_0|x] - x)/O. Points are laid out as for joint_level,
 * in original coordinates. */
#ifndef MODEL_SPINS_LEVEL_H
#define MODEL_SPINS_LEVEL_H

#include <stddef.h>

#include "core/status.h"
#include "model/schedule.h"
#include "model/target.h"

struct spins_level {
    const struct factor *factor;
    struct level level;
    double root_alpha_bar;
    double *up, *down; /* P_k(+), P_k(-) */
    double *scratch;
};

/* Errors: STATUS_MEMORY. */
MUST_USE enum status spins_level_new(const struct factor *factor, struct spins_level *out, struct error *error);
void spins_level_free(struct spins_level *spins);

/* Moves to another noise level; needed before the first evaluation. */
void spins_level_set(struct spins_level *spins, const struct level *level);

/* Log-density and score at n points; either output may be NULL, and the score does not overlap x. Of each coordinate
 * the factor of its nearer atom is taken out before components are compared, so that nothing overflows however small
 * O is: log p = sum_i log N(|x_i|; sqrt(A), O) + log sum_k w_k prod_i (P_k(s_i) + P_k(-s_i) e^(-2a|x_i|)), s_i the
 * sign of x_i. */
void spins_level_evaluate(const struct spins_level *spins, size_t n, size_t stride, const double *x,
                          double *log_density, double *score);

/* A sample of X from `dimension` uniforms in [0, 1) and normals, all `stride` apart, as out is. */
void spins_level_draw(const struct spins_level *spins, size_t stride, const double *uniforms, const double *normals,
                      double *out);

#endif
