/* log r near one codeword of a planted law (theory (25)), in coordinates in which it is smooth: the log-likelihood
 * ratio l of the codeword's Gaussian against the bulk's, weights included, and the standardised place u along the
 * axis. Paths condense where l is of order 1, and all that a step does there changes over l of order 1, while at a
 * given l nothing changes over less than many standard deviations: some ten nodes along the front are enough. With
 * q = rho^2/V,
 *     l = constant + slope u - bend (u^2 + q)/2,
 * so that l and u give rho, and log r is analytic in both up to the axis. */
#ifndef LAW_CYLINDER_CONDENSATION_GRID_H
#define LAW_CYLINDER_CONDENSATION_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "model/axis_level.h"

/* The codeword's Gaussian N(sqrt(A) m e_1, V I) and the bulk's, N(0, V_0 I), at a level. */
struct condensation_level {
    double dimension, across; /* d and n = d - 1 */
    double log_own;           /* the codeword's weight */
    double centre;            /* sqrt(A) m */
    double variance, sd, bulk_variance;
    double constant, slope, bend;
    double bulk_excess; /* V_q/V_0 - 1; V_q: variance of the sampler's law where the score is the bulk's */
    double bulk_bend, bulk_constant; /* log N(x; 0, V_q I)/(w_0 N(x; 0, V_0 I)) = bulk_bend |x|^2 + bulk_constant */
};

/* Component 0 of the axis is the bulk, of mean 0. */
struct condensation_level condensation_level_of(const struct axis_level *axis, double bulk_excess);

double condensation_log_odds(const struct condensation_level *level, double u, double q);
/* q at l and u, not above 0 where no point has them. */
double condensation_square(const struct condensation_level *level, double log_odds, double u);

/* Whether the bulk's posterior weight 1/(1 + e^l) has a mean below exp(-reach) over the codeword's law. */
bool condensation_is_over(const struct condensation_level *level, double reach);

/* l in the middle of the codeword's mass: u = 0, q = n. */
double condensation_typical_odds(const struct condensation_level *level);

/* The length of l's gradient by x/sd, which is the same at all points of that l. */
double condensation_steepness(const struct condensation_level *level, double log_odds);

/* -log of the codeword's density at l and u over its largest, by Cramer's rate functions; HUGE_VAL where q <= 0. */
double condensation_rate(const struct condensation_level *level, double log_odds, double u);

enum { CONDENSATION_NODES = 24, CONDENSATION_PANELS = 64, CONDENSATION_SIDE = 5 };

/* log r = sum_ij coefficient[i][j] T_i(X) T_j(Y), X in l, Y in u between middle - half and middle + half, which are
 * polynomials in X. */
struct condensation_panel {
    double from, to;
    double middle[CONDENSATION_SIDE], half[CONDENSATION_SIDE]; /* coefficients of X^k */
    double rate;     /* -log of the codeword's density, over its largest, at most: 0 where the latter is in it */
    size_t nodes[2]; /* along l and along u, of the polynomial */
    double tail[2];  /* the largest of its last two rows of coefficients, and of its last two columns */
    double coefficient[CONDENSATION_NODES][CONDENSATION_NODES];
};

/* From values at n nodes to coefficients, for each n. */
struct condensation_transforms {
    double of[CONDENSATION_NODES + 1][CONDENSATION_NODES][CONDENSATION_NODES];
};
void condensation_transforms_init(struct condensation_transforms *out);

struct condensation_grid {
    struct condensation_level level;
    double depth;                     /* below l = -depth there are no panels */
    struct condensation_panel *panel; /* ascending in l, without gaps */
    size_t count, capacity;
    const struct condensation_transforms *transforms; /* borrowed */
};

/* Free with condensation_grid_free. */
void condensation_grid_init(struct condensation_grid *grid, const struct condensation_transforms *transforms);

/* What panels cover: where the codeword's density is above exp(-reach) of its largest and l above -depth. Panels are
 * at most `length` long near the front, longer away from it, and at distance e from the ends of a range of l of
 * length L no longer than ends (e/2 + L/20), where their sides bend. */
struct condensation_extent {
    double reach, depth, length, ends;
};

/* None where the codeword has no mass above -depth. Errors: STATUS_NUMERIC where that takes more than
 * CONDENSATION_PANELS, STATUS_MEMORY. */
MUST_USE enum status condensation_grid_lay(struct condensation_grid *grid, const struct condensation_level *level,
                                           const struct condensation_extent *extent, struct error *error);
void condensation_grid_free(struct condensation_grid *grid);

/* The nodes of a panel, nodes[0] nodes[1] of them, u running fastest; its nodes, in 2..CONDENSATION_NODES, are the
 * caller's to set. */
void condensation_panel_nodes(const struct condensation_panel *panel, double *log_odds, double *u);
/* Their values, in the same order, become the panel's polynomial. */
void condensation_panel_fit(const struct condensation_grid *grid, const double *value,
                            struct condensation_panel *panel);

/* The panel at l, or the nearest; NULL where there is none. */
const struct condensation_panel *condensation_panel_at(const struct condensation_grid *grid, double log_odds);

/* out[i] = log r at l[i], u[i], |x|^2 = square[i]: that of the bulk below -depth; elsewhere by the panel there, and
 * beyond the panels linear in l and u. */
void condensation_grid_evaluate(const struct condensation_grid *grid, size_t n, const double *log_odds,
                                const double *u, const double *square, double *out);

#endif
