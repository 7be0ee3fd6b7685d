/* One stage of a sampler's step in the plane, between two references with known densities: log r at points of the
 * second from log r on patches of the first, by theory (14)-(15) with a tensor Gauss-Hermite sum. */
#ifndef LAW_PLANE_TRANSFER_H
#define LAW_PLANE_TRANSFER_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "law/patches.h"
#include "law/plane/symmetry.h"
#include "law/propagate.h"
#include "law/quadrature.h"
#include "model/joint_level.h"
#include "model/mixture_level.h"
#include "model/sampler.h"
#include "model/score_error.h"

/* A score error in the plane is one on a line (theory §5) in each of `count` directions: the two axes, one of them,
 * or the diagonal. */
struct plane_direction {
    double axis[2];
    struct factor factor; /* the mixture's marginal along the axis; points into the owner's block */
    struct mixture_level level[SAMPLER_LEVELS]; /* at levels t, t-1 and the others */
    struct error_level error[SAMPLER_LEVELS];   /* at levels t and t-1, and the others */
};

struct plane_oracle {
    struct score base;
    size_t levels;                                     /* in use: t, t-1 and the sampler's others */
    const struct joint_level *density[SAMPLER_LEVELS]; /* p at these levels */
    size_t directions;
    struct plane_direction direction[2];
    size_t anchor;         /* positions asked for are relative to it */
    const double *known_x; /* points whose exact score at level t is already in known_score */
    const double *known_score;
    size_t *functions;             /* counts exponentials and logarithms */
    double *work;                  /* 7 arrays of as many doubles as the largest batch has points */
    struct undeclared *undeclared; /* the caller's */
    int original;                  /* the sampler sees original coordinates, not positions relative to the anchor */
    size_t batch;                  /* in that case: points in this call of the sampler */
};

/* Sets the functions; the rest is the caller's. */
void plane_oracle_init(struct plane_oracle *oracle);

/* A sampler's increment or correction at n points relative to the anchor at level t (2n numbers), in whichever
 * coordinates it sees. */
void plane_oracle_apply(const struct plane_oracle *oracle, sampler_map *map, const struct step *step, size_t n,
                        const double *x, double *out, double *work);

enum { PLANE_BATCH = 4096 /* points at a time */ };

struct plane_transfer {
    struct stage stage;
    const struct joint_level *from, *to;
    const struct patches *grid; /* log r on `from`, indexed */
    const struct plane_symmetry *symmetry;
    const struct lobattos *lobattos;
    struct plane_oracle *oracle;
};

/* What a map without noise has lost where it has no inverse (law/plane/paths.h). */
struct plane_folded {
    uint64_t units;        /* of mass, in all */
    double largest, place; /* at one point, where that is too much, and its x */
    size_t t;              /* the step in which it is lost */
};

/* Workspace for a whole law. */
struct plane_work {
    double *x, *log_density, *score, *increment, *log_ratio, *term, *oracle_work, *work;
    double *column_z, *column_weight, *column_log_density, *grid_x, *grid_y;
    double *block;
    struct patches_work patches;
    size_t node_updates, functions;
    struct plane_folded folded;
};
MUST_USE enum status plane_work_new(const struct sampler *sampler, struct plane_work *out, struct error *error);
void plane_work_free(struct plane_work *work);

/* What a thread works with; levels and oracles are set alike in all. */
struct plane_thread {
    struct joint_level level[SLOTS], other[SAMPLER_OTHER_LEVELS];
    struct plane_oracle oracle;
    struct step step;               /* the present one, of paths */
    struct plane_transfer transfer; /* the present stage */
    struct plane_work work;
    void *plane; /* the engine */
};

/* The density and score of the first reference and the increment at that many points work->x, relative to the anchor.
 */
void plane_transfer_at(const struct plane_transfer *transfer, struct plane_work *work, size_t anchor, size_t points);

/* log r by the rules rule[0] in the first and rule[1] in the second coordinate, and log p' of the second reference,
 * at all (x[i], y[j]), at most PATCH_MOST of each, relative to the anchor's mean in the coordinates of the patches;
 * [i * ny + j]. */
void plane_transfer_apply(const struct plane_transfer *transfer, struct plane_work *work,
                          const struct quadrature *const rule[2], size_t anchor, size_t nx, const double *x,
                          size_t ny, const double *y, double *log_ratio, double *log_density);

#endif
