/* A one-dimensional mixture at a noise level: component N(m, s^2) becomes N(sqrt(A) m, A s^2 + O) (theory §3).
 * Of a factor with a density these are the places and scales on which it varies, and evaluations are the density's.
 * Positions are given relative to sqrt(A) m_anchor of one component, the anchor, so that a component of width 1e-12
 * keeps all its digits. */
#ifndef MODEL_MIXTURE_LEVEL_H
#define MODEL_MIXTURE_LEVEL_H

#include <stddef.h>

#include "core/status.h"
#include "model/schedule.h"
#include "model/target.h"

struct point_masses;

struct mixture_level {
    const struct factor *factor;
    struct level level;
    double root_alpha_bar;
    double *sd, *variance, *inverse_variance; /* of the components at this level, K entries each */
    double *log_constant;                     /* log(w_k) - log(2 pi V_k)/2 */
    struct point_masses *masses; /* of a density, those that stand for it at levels that are wide; else NULL */
};

MUST_USE enum status mixture_level_new(const struct factor *factor, struct mixture_level *out, struct error *error);
void mixture_level_free(struct mixture_level *mixture);

/* Moves to another noise level; needed before the first evaluation. */
void mixture_level_set(struct mixture_level *mixture, const struct level *level);

/* Log-density and score at sqrt(A) m_anchor + x[i], i < n; either output may be NULL. Log-sum-exp, so no underflow.
 */
void mixture_level_evaluate(const struct mixture_level *mixture, size_t anchor, size_t n, const double *x,
                            double *log_density, double *score);

/* The density relative to component `of`: p(x) = w N(x; c, V) e^excess (1 + others). The log-odds of component k are
 * l_k = log(w_k N_k/(w N)), excess = max(0, max_k l_k), and others = sum_k e^(l_k - excess) - 1 over all k, in
 * (-1, K): small where the component is alone, and then with all its digits. Of a density, p(x) = e^excess and
 * others = 0. score may be NULL. */
void mixture_level_split(const struct mixture_level *mixture, size_t anchor, size_t of, size_t n, const double *x,
                         double *excess, double *others, double *score);

/* max_k log N(x; c_k, V_k) there. */
void mixture_level_log_own(const struct mixture_level *mixture, size_t anchor, size_t n, const double *x,
                           double *out);

/* log(w_k N(x; c_k, V_k)) there. */
void mixture_level_log_part(const struct mixture_level *mixture, size_t k, size_t anchor, size_t n, const double *x,
                            double *out);

/* What either takes at a point, in exponentials and logarithms; a score alone takes no logarithm. */
size_t mixture_exponentials(const struct mixture_level *mixture);

/* The component of the largest density at x; with a density the anchor. */
size_t mixture_level_dominant(const struct mixture_level *mixture, size_t anchor, double x);

/* sqrt(A)(m_k - m_anchor): component k's centre in the anchor's coordinates. */
static inline double mixture_level_centre(const struct mixture_level *mixture, size_t k, size_t anchor)
{
    return mixture->root_alpha_bar * (mixture->factor->mean[k] - mixture->factor->mean[anchor]);
}

#endif
