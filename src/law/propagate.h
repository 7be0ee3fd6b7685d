/* The driver of all engines that carry log r_t = log(q_t/p_t) from level to level, t = T, ..., 1, by theory
 * (14)-(15).
 *
 * A step t -> t-1 has one stage or two: noise before the map, where the sampler has some, and the map with the noise
 * after it. What holds in every geometry is here: the loop over steps and stages, which steps are checked, the error
 * accumulator, rounding, the clip bound, scores at undeclared levels. What is particular to one (how log r is
 * represented, the transition density, quadrature, where the scores come from) is a const table, `struct geometry`.
 *
 * Error radius. A stage is a Markov operator on densities, so a local error e_t made in step t reaches t = 1 with
 * norms no larger than those it had (law/norms.h): the radius is the sum of the local errors. They are estimated in
 * checked steps, at points off the grid and against a quadrature of higher order, so an error holds quadrature and
 * interpolation at once. Checks are so close in log noise that the larger of two neighbours is taken for the steps
 * between. Rounding errors are independent from stage to stage and are averaged by the operator: they are counted as
 * a random walk, ROUNDING_DEVIATIONS standard deviations of it. */

/* How to add a law engine
 *
 *  1. A folder law/<name>/ with one file <name>.c that defines a `struct geometry` and a `struct law_engine` whose
 *     `compute` calls propagate(), and files beside it for its grid and for one stage.
 *  2. One line ENGINE(engine_<name>) in law/engines.def, before engines that also handle the problem but cost more.
 *     This is the only list.
 *  3. State: `new` allocates all that a law needs, in one struct: SLOTS references p with a grid of log r each, the
 *     score, a workspace, and for each of the STAGES what checks choose (quadrature order, spacing). The driver
 *     names slots by number: two take turns, the third holds the law between the two stages of a step. Loops over
 *     panels are shared by the threads of run->team (law/panel_groups.h, core/parallel.h), each with a workspace.
 *  4. `set_level` moves a slot's reference to a level; `start` lays out slot 0 at level T and fills it with
 *     log N(0, I) - log p_T; `set_score` prepares the scores of a step (propagation_score_error has score errors).
 *  5. `prepare_stage` sets up a stage from one slot to another; `fill_stage` lays out the second grid and fills it.
 *     A checked stage also compares with a higher quadrature order, raises its own where the error is above its
 *     tolerance, lowers it where there are digits to spare, and reports local errors.
 *  6. `correction_moments` adds up expectations under q of the sampler's correction, for the clip bound (law/clip.h).
 *  7. `finish` hands over log r_1 on panels, with a struct law_density for p_1 unless that is a mixture on the line.
 *     Divergences, composition, tails and the choice of the resolution work on panels and need nothing more.
 *  8. What two geometries need moves up into law/, for headers of a geometry's folder are for itself alone. There
 *     are panels and rules for their length (law/layout.h), test points (law/resample.h), maps without noise
 *     (law/monotone.h), quadrature orders (law/quadrature.h), Bessel functions for noncentral chi (law/bessel.h).
 *  9. Tuning constants in law/<name>/tuning.h. Tests: one stage against quadrature in space, the law against a
 *     closed form and against another engine, and that radii hold (test_toy.c).
 *
 * Never form 1 - alpha_bar, y - m(x) or r - 1 by subtraction: levels carry the noise, struct stage carries
 * V_from - a^2 V_to, samplers give increments. */
#ifndef LAW_PROPAGATE_H
#define LAW_PROPAGATE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/parallel.h"
#include "core/status.h"
#include "law/clip.h"
#include "law/law.h"
#include "law/norms.h"
#include "model/sampler.h"
#include "model/score_error.h"

/* One stage of a step, x -> y = (x + D(x))/a + noise, without D and with a = 1 where it is noise alone. */
enum { STAGE_MAP, STAGE_NOISE, STAGES };
struct stage {
    const struct sampler *sampler;
    const struct step *step;
    size_t index;       /* STAGE_MAP: the map and the noise after it; STAGE_NOISE: the noise before it */
    bool moves;         /* the map is applied */
    bool deterministic; /* no noise */
    double a;           /* sqrt(alpha), or 1 */
    double noise;       /* the variance of the noise times a^2 */
    double added;       /* V_from - a^2 V_to, the same for every component: variances before and after */
};
struct stage stage_of(const struct sampler *sampler, const struct step *step, size_t index);

/* Local errors of a checked step or stage: as the unchecked steps before it were made, with what the last check
 * chose; as it was made itself; and as the steps up to the next check will be made. */
struct step_error {
    struct norms before, itself, after;
};

struct stage_result {
    struct step_error error; /* of a checked stage */
    double rounding;         /* in a stage, in either norm */
};

/* Local errors so far, and those of the last checked step: the larger of its neighbours' is taken for each step
 * between two checks. */
struct error_account {
    struct norms total;
    struct step_error last;
    size_t unchecked; /* steps since then, the present one included; the caller's to count */
};
void error_account_add(struct error_account *account, const struct step_error *error);

/* Where log r is held: two slots in turn, and the law between the stages of a step. */
enum { SLOT_BETWEEN = 2, SLOTS };

/* What a geometry may read of the computation that it serves. */
struct propagation {
    const struct law_problem *problem;
    struct team *team; /* the threads of the problem */
    double resolution;
    bool original;      /* the sampler must see original coordinates, not those relative to a component's mean */
    double error_norm;  /* of the score error's profile over the schedule (score_error_norm) */
    struct step step;   /* the present one */
    double held_square; /* law.held_square so far; the geometry's to raise */
    struct undeclared undeclared; /* scores asked for at levels that the sampler has not declared */
};

struct geometry {
    double check_stride; /* log noise between two checks */
    bool needs_noise;    /* a sampler with a step without noise is refused */
    bool of_components;  /* errors have the norm `own` */
    /* Out: *state, freed by `free` even after an error. */
    enum status (*new)(struct propagation *run, void **state, struct error *error);
    void (*free)(void *state);
    void (*set_level)(void *state, size_t slot, const struct level *level);
    /* Lays out slot 0, whose level is T, and fills it with log r_T. Out: *local, the error of its interpolation. */
    enum status (*start)(void *state, struct norms *local, struct error *error);
    /* The law at level 1 at once, in slot 0, in the place of `start` and all steps. Out: *local; *rounding, of all
     * steps. NULL: step by step; with it none of the functions below but `finish` is used. */
    enum status (*whole)(void *state, struct norms *local, double *rounding, struct error *error);
    /* The scores of run->step; slots `from` and `to` are at its levels t and t-1. */
    void (*set_score)(void *state, size_t from, size_t to);
    /* The stage takes the law in slot `from` to slot `to`, whose levels are set. Errors: STATUS_UNSUPPORTED for a
     * stage that the geometry cannot have. */
    enum status (*prepare_stage)(void *state, const struct stage *stage, size_t from, size_t to, struct error *error);
    /* Lays out and fills the grid of the slot `to` of prepare_stage. Errors: STATUS_NUMERIC where the law is not
     * finite or a map without noise folds; STATUS_MEMORY. */
    enum status (*fill_stage)(void *state, bool checked, struct stage_result *out, struct error *error);
    /* Adds E_q f(|correction|) over the slot `from` of prepare_stage. */
    void (*correction_moments)(void *state, struct clip_step *out);
    /* true: a step between two checks leaves the polynomials of log r as they are, and may be skipped; move_slot then
     * moves the grid of a slot to the present level of the slot, before the next step that is made. NULL: never. */
    bool (*leaves_unchanged)(const void *state);
    enum status (*move_slot)(void *state, size_t slot, struct error *error);
    /* Out: log_ratio, target or density, lines, node_updates and exponentials of *out, and the errors of what is done
     * in between. The slot's grid may be taken. */
    enum status (*finish)(void *state, size_t slot, struct law *out, struct error *error);
};

/* The law by a geometry. Arguments, result and errors as law_engine.compute has them; out->engine becomes `engine`.
 */
MUST_USE enum status propagate(const struct geometry *geometry, const struct law_engine *engine,
                               const struct law_problem *problem, double resolution, struct law *out,
                               struct error *error);

/* The score error at the present step's level `index` of sampler_levels(), of `share` of the factor's part of eps^2,
 * for the marginal of p at that level along the direction in which it acts. shape = NULL: there is none. */
void propagation_score_error(const struct propagation *run, size_t index, double share,
                             const struct mixture_level *marginal, struct error_level *out);

#endif
