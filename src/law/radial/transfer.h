/* One stage of a sampler's step between two mixtures of shells: log r at radii of the second from log r on a grid of
 * the first (theory (14)-(15) for a map with noise, change of variables for a map without), in one dimension. */
#ifndef LAW_RADIAL_TRANSFER_H
#define LAW_RADIAL_TRANSFER_H

#include <stddef.h>

#include "core/status.h"
#include "law/panel_groups.h"
#include "law/panels.h"
#include "law/propagate.h"
#include "law/quadrature.h"
#include "law/bessel.h"
#include "model/radial_level.h"
#include "model/sampler.h"

enum {
    RADIAL_POINTS = 4 * PANEL_NODES, /* at a time */
    PIECE_COUNTS = 50,               /* Gauss-Legendre rules of 8, 16, ... nodes */
    MOST_RADIAL_BREAKS = 16
};

/* The perturbed score along a ray at levels t and t-1 and its others: kappa(rho) rho, plus a linear score
 * error. */
struct radial_oracle {
    struct score base;
    size_t levels;                                      /* in use: t, t-1 and the sampler's others */
    const struct radial_level *density[SAMPLER_LEVELS]; /* p at these levels */
    double error_slope[SAMPLER_LEVELS];
    const double *known_rho; /* radii whose kappa at level t is already in known_kappa */
    const double *known_kappa;
    struct undeclared *undeclared; /* the caller's */
};

/* Sets the evaluate function; the rest is the caller's. */
void radial_oracle_init(struct radial_oracle *oracle);

/* A step with a number that its sampler may draw, the probability of that, and the scores that it asks for. */
struct radial_draw {
    struct step step;
    double weight;
    struct radial_oracle oracle;
    struct radial_level other[SAMPLER_OTHER_LEVELS];
};

struct radial_transfer {
    struct stage stage;
    const struct radial_level *from, *to;
    const struct panels *grid; /* log r on `from` */
    const struct radial_oracle *oracle;
    size_t draws; /* > 0: the result is the mean of r over so many draws */
    struct radial_draw *draw;
    size_t breaks; /* radii, ascending, where the map jumps; set by the caller */
    double at[MOST_RADIAL_BREAKS];
    double reach; /* quadrature is cut at breaks no farther than this, in units of its scale; set with the breaks */
};

/* Fills all but the breaks. */
void radial_transfer_init(struct radial_transfer *transfer, const struct stage *stage,
                          const struct radial_level *from, const struct radial_level *to, const struct panels *grid,
                          const struct radial_oracle *oracle);

/* Workspace of a thread, one block for a whole law. */
struct radial_work {
    const struct quadrature_table *rules;
    struct bessel bessel;
    struct quadrature piece[PIECE_COUNTS]; /* on [-1, 1], made when first needed */
    struct quadrature split;               /* of one point */
    double *x, *relative, *excess, *kappa, *map, *value, *work;
    double *block;
    double ignored; /* by monotone_ignore, since set to 0 */
    size_t node_updates;
};
/* One for each thread of a team. */
struct radial_team {
    struct panel_groups groups;
    struct quadrature_table rules;
    struct radial_work *work;
};
MUST_USE enum status radial_team_new(const struct sampler *sampler, double dimension, struct team *team,
                                     struct radial_team *out, struct error *error);
void radial_team_free(struct radial_team *team);

/* log r at `count` <= RADIAL_POINTS ascending radii > 0; `anchor` is a component with a large density there, and
 * `length` a distance over which the map is smooth (the panel's). *hint as in radial_panels_evaluate. Errors:
 * STATUS_NUMERIC where a deterministic map folds; STATUS_MEMORY. */
MUST_USE enum status radial_transfer_apply(const struct radial_transfer *transfer, struct radial_work *work,
                                           size_t order, size_t anchor, double length, size_t count,
                                           const double *rho, double *log_ratio, size_t *hint, struct error *error);

#endif
