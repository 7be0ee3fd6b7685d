/* The exact law of a sampler's output in one factor: log r_1 = log(q_1/p_1) as a panelled function on the support of
 * p_1 (theory §6), on the line, on a half-line of radii or on many lines through a plane, with error radii. One const
 * engine object a method, listed in law/engines.def. */
#ifndef LAW_LAW_H
#define LAW_LAW_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "law/clip.h"
#include "law/conditions.h"
#include "law/normal.h"
#include "law/panels.h"
#include "model/mixture_level.h"
#include "model/sampler.h"
#include "model/schedule.h"
#include "model/score_error.h"
#include "model/target.h"

struct law_engine;
struct law_density;

/* What a law is the law of: a sampler run on one factor of a target. All borrowed. */
struct law_problem {
    const struct factor *factor;
    const struct sampler *sampler;
    const struct schedule *schedule;
    const struct score_error *score_error; /* NULL: exact scores */
    double error_share;                    /* of eps_score^2, in this factor; 0: exact scores */
    double clip;      /* for samplers that clip: the norm above which the factor's correction is zeroed; 0 means never
                       * (products, where clipping couples coordinates) */
    double clip_most; /* where clip = 0: the law is given up as soon as the bound on the probability that a clip would
                       * have acted (law/clip.h) exceeds this, for a caller who then computes the law with the clip;
                       * 0: never */
    size_t
        threads; /* for this law alone, where an engine can use them; 0 counts as 1. The same bits for any number. */
    size_t
        component; /* k + 1: r is followed along component k's forward paths alone (law_component); 0: everywhere */
    const struct conditions
        *conditions; /* what the sampler was found to break; NULL: nothing. law_compute finds it. */
    size_t points; /* for messages: of how many points the components are the distinct ones; 0: they are no points */
};

/* p_1 on the panels of a law in more than one coordinate: each panel lies on a line of its own through space, or is a
 * shell's radius. An engine's own object. */
struct law_density {
    /* log of p_1 at x[i] in the panel's own coordinates, times the weight of the coordinates that it integrates out:
     * the integral of its exponential over all panels is 1. */
    void (*log_density)(const struct law_density *density, const struct panel *panel, size_t n, const double *x,
                        double *out);
    /* The same of component k's part of the density alone, w_k p_k. */
    void (*log_part)(const struct law_density *density, const struct panel *panel, size_t k, size_t n,
                     const double *x, double *out);
    double (*sd)(const struct law_density *density, const struct panel *panel); /* the local scale, along the panel */
    enum status (*copy)(const struct law_density *density, struct law_density **out, struct error *error);
    void (*free)(struct law_density *density);
    /* Where the panels lie on many lines that sample one coordinate: the number of the panel's line, in that order;
     * every n-th line alone is as good a quadrature rule, n times as coarse. NULL: each panel is a line of its own.
     */
    size_t (*line)(const struct law_density *density, const struct panel *panel);
    /* Of such lines in the plane, which run along the first axis: the place, in the target's own coordinates, from
     * which the panel's own coordinate is counted. NULL: there is none. */
    void (*origin)(const struct law_density *density, const struct panel *panel, double out[2]);
};

struct law {
    const struct law_engine *engine;
    struct mixture_level target; /* p_1 of a law on the line: the factor at level 1; the factor stays the caller's */
    struct law_density *density; /* p_1 otherwise, owned; NULL on the line */
    size_t component;            /* k + 1: integrals are over p_k in place of p_1; 0: over all of p_1 */
    double log_weight;           /* of that component, in the factor */
    int lines; /* nonzero if the panels lie on more than one line: only sums over all of them count */
    struct panels log_ratio;
    struct panels
        base;      /* of a relative law: log(q_0/p) on the same panels, and log_ratio is log(q_1/q_0); else empty */
    int is_normal; /* nonzero if p_1 and q_1 are Gaussians: */
    struct normal normal;       /* q_1 in units of p_1, for closed forms that look at no panels */
    struct measured w2_squared; /* W2(p, q)^2 by w2_squared, which law/measure.c calls; 0 before */
    double tail_variance; /* of the tails of q_1 over that of p_1's, (log p_1)''/(log q_1)'' far out; 0: not known */
    double mass_defect; /* integral of q_1 over the support, minus 1; law_compute measures it, whatever the engine. 0
                         * for Gaussians, whose q_1 is known beyond the support, too */
    double unexplained; /* part of it, if any, that the next two would not hold; they have been widened for it */
    double error_l1;    /* E_p|r - r_true| is at most this, but for the mass defect */
    double error_l2;    /* the same for sqrt(E_p (r - r_true)^2/r) */
    double held_square; /* E_p (r - r~)^2 beyond the ends of the grid, where r~ is held at its last value, the largest
                         * of all levels looked at: E_p r^2 may lack of what came from there. 0: not looked at */
    double rounding;    /* the part of both that no resolution takes away; 0: not known (closed form) */
    double error_kept; /* the part of error_l1, beside rounding, that a higher resolution of the engine would leave as
                        * it is, from below; 0: none is known of */
    double *component_error; /* of each component k, an estimated radius of E_{p_k}(r_1 - 1), beside the mass defect;
                              * NULL: the engine has none */
    struct clip_bound clip;  /* of the correction, where a clip was taken as inactive */
    bool given_up;       /* the bound exceeded problem->clip_most: only `clip`, of the steps until then, and what work
                          * was done are known */
    size_t node_updates; /* work done: quadrature nodes visited */
    size_t exponentials; /* and elementary functions evaluated there; 0: not counted */
};

struct law_engine {
    const char *name;
    const char *doc;
    const char *formula;
    const char *source;
    size_t memory; /* it has laws of samplers that keep no more arrays than this from step to step */
    bool draws;    /* it has laws of samplers that draw numbers */
    bool parts;    /* it can follow one component alone (law_component) */
    bool closed;   /* its laws are closed forms, which cost nothing beside others */
    /* law_compute raises the resolution until the radius is at most this part of E_p|r - 1|; 0 stands for 5e-6. */
    double wanted_radius;
    /* A law that has taken this many node updates is not computed at a higher resolution where its radius is at most
     * DEAR_RADIUS of E_p|r - 1|; 0: any law may be. */
    size_t dear;
    /* error_l1 falls like the resolution to minus this power, about; 0: not known. */
    double radius_power;
    /* Nonzero if the engine computes this law exactly, up to the radii it reports. */
    int (*handles)(const struct law_problem *problem);
    /* Args: resolution 1 is the default, 2 doubles nodes and panels (the radius shrinks until rounding).
     * Out: *out on success (free with law_free). Errors: STATUS_NUMERIC, STATUS_MEMORY; STATUS_UNSUPPORTED where some
     * step shows that the law is not the engine's: the next one that handles the problem may know it. */
    enum status (*compute)(const struct law_problem *problem, double resolution, struct law *out,
                           struct error *error);
};

const struct law_engine *law_engine_at(size_t index); /* NULL past the end */

/* The first engine in the list that handles the problem, or NULL. */
const struct law_engine *law_engine_for(const struct law_problem *problem);

/* Whether the engine has laws of the sampler, for some target and exact scores. */
bool law_engine_carries(const struct law_engine *engine, const struct sampler *sampler);

/* STATUS_OK if there is one, else STATUS_UNSUPPORTED with what it is that no engine handles. */
MUST_USE enum status law_supports(const struct law_problem *problem, struct error *error);
/* The error of a problem that has no engine; of its factor only the sizes are looked at. */
enum status law_unsupported(const struct law_problem *problem, struct error *error);

void law_free(struct law *law);

/* log p_1 at x[i] on a panel, as law_density.log_density has it, for any law. */
void law_log_density(const struct law *law, const struct panel *panel, size_t n, const double *x, double *out);
/* The local scale there, along the panel. */
double law_sd(const struct law *law, const struct panel *panel);

/* The law of the factor by its engine, at the lowest of a few resolutions whose radius is at most the engine's
 * wanted_radius of E_p|r - 1| (or the sharpest there is, if none is). Out and errors as law_engine.compute. */
MUST_USE enum status law_compute(const struct law_problem *problem, struct law *out, struct error *error);

/* The same by one engine, whether it handles the problem or not. */
MUST_USE enum status law_compute_by(const struct law_engine *engine, const struct law_problem *problem,
                                    struct law *out, struct error *error);

/* What is known of a law where r_t was followed along the forward paths of one component k alone, of p_k at t = 1:
 * expectations of p_k, whatever the component's weight, each with the estimated radius of the engine's local errors.
 */
struct law_component {
    const struct law_engine *engine;
    struct measured mass_error;    /* m_k = E_{p_k}(r_1 - 1), theory (21) */
    struct measured half_distance; /* E_{p_k}|r_1 - 1|/2, at least |m_k|/2 */
    size_t node_updates;
};

/* The error of component k's mass without the law of the others: r on the support of p_k at t - 1 follows from r on
 * the support of p_k at t, so that a component of any small weight costs no more than a large one, and the bulk of a
 * planted law (25) nothing. problem->component is not looked at. Errors: STATUS_INVALID where there is no such
 * component; STATUS_UNSUPPORTED where no engine follows one component of such a problem; else as law_compute. */
MUST_USE enum status law_component(const struct law_problem *problem, size_t k, struct law_component *out,
                                   struct error *error);

/* Out: *ratio is law.tail_variance of the problem's law. Far out p is that of the component of the
 * largest variance, and so is the score, which is affine there: the closed form of that component alone. 0 where the
 * score error is affine, too, but sized by all components, and for samplers that are not regular or draw numbers.
 * Errors: STATUS_MEMORY. */
MUST_USE enum status law_tail_variance(const struct law_problem *problem, double *ratio, struct error *error);

/* The law of a Gaussian q in units of p = N(0, variance) in one dimension, on p's panels. The factor, of one
 * component, is only pointed to. Errors: STATUS_NUMERIC, STATUS_MEMORY. */
MUST_USE enum status law_of_normal(const struct factor *factor, double variance, const struct normal *q,
                                   double resolution, struct law *out, struct error *error);

/* The law q of `law` relative to q_0 of `base`, both of one factor at one level, on the panels of the former (the
 * finer ones): its "target" is q_0, so that what the divergences of p and q are computed from gives those of q_0 and
 * q. What it means for error radii: that of q_0 is added, since q_0 carries one too. Off the line the two must have
 * the same panels. Errors: STATUS_UNSUPPORTED where they have not, STATUS_MEMORY. */
MUST_USE enum status law_relative(const struct law *law, const struct law *base, struct law *out,
                                  struct error *error);

#endif
