/* The plane engine: log r_t on the patches of a quadtree, carried from level to level by theory (14)-(15) in two
 * dimensions (law/plane_transfer.c).
 *
 * Patches adapt to what they hold: each has as many nodes in either direction, and as fine a quadrature rule, as its
 * share of the tolerated error asks for, weighed by the mass of q in it; the tails of its polynomials decide in every
 * step, off-grid points against a finer rule in checked steps. The error radius is the line engine's (law/line.c): a
 * stage is a Markov operator on densities, so local errors add up in norms that it does not increase. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/vmath.h"
#include "law/clip.h"
#include "law/law.h"
#include "law/patches.h"
#include "law/plane_lattice.h"
#include "law/plane_rows.h"
#include "law/plane_transfer.h"
#include "law/rule.h"

extern const struct law_engine engine_plane;

/* L1(p) errors that all patches together may make in a stage: absolute, or as a part of E_p|r - 1| (shared by the
 * steps), whichever is larger; and what rounding makes in any case. */
#define TOLERANCE 8e-16
#define RELATIVE 1e-5
#define ROUNDING 3e-16
/* Where E_p|r - 1| is smaller than this part of h^2, it will grow. */
#define EXPECTED 1e-3
/* A patch of mass m may have the relative error EVEN m^-GROWTH times that: more where there is less mass, but
 * neighbours must not differ by much, for an error just beyond a side is a kink within. */
#define EVEN 0.15
#define GROWTH (2.0 / 3.0)
/* Of values on a patch: no tail is asked to be below it. */
#define NOISE 3e-15
/* A patch with less than this part of the tolerance is not worth more; nor is next to no mass. */
#define NEGLIGIBLE 1e-4
#define NOTHING 1e-15
/* Far out, where there is no mass, errors must not grow by exponentiation. */
#define LOOSEST 0.05
/* So many times the tolerance, and the next rungs need not be tried one by one. */
#define FAR_OFF 1e4
/* Of the tolerance: a rule that would make no more may be taken. */
#define LOWER 0.3
/* How much sharper the tolerance is at a higher resolution. */
#define SHARPER 8.0
/* A tail beyond REDO tolerances is not left as it is; below SPARE, two nodes less will do. */
#define REDO 4.0
#define SPARE 0.05
/* Four patches whose common polynomial would be so good become one. */
#define MERGED 0.1
/* Lattices: points in a standard deviation of the noise at first, at least, at most; how much denser the next may be,
 * what to spare of that, and the one that checks; what part of the tolerance they may use. What a point and a pair of
 * a point and a node cost, in nodes of a rule. */
#define FIRST_DENSITY 1.6
#define SPARSEST 1.2
#define DENSEST 12.0
#define LEAST_DENSER 1.08
#define MOST_DENSER 1.5
#define SPARE_DENSITY 1.06
#define FINER_LATTICE 1.25
#define LATTICE_SHARE 0.3
#define LARGEST_LATTICE 4e6
#define POINT_COST 1.2
#define PAIR_COST 0.008
/* Standard deviations of each component that patches cover: mass e^{-36} outside. */
#define REACH 8.5
/* Patches with less mass than this get by with rules of this rung. */
#define OUTER_MASS 1e-12
#define OUTER_RUNG 5
/* Sides of patches in local scales: at the start, at most, at least. */
#define FIRST_SIDE 2.5
#define LONGEST_SIDE 4.0
#define SHORTEST_SIDE 0.02
/* Steps of log noise between two checks. */
#define CHECK_EVERY 0.7
/* What the test points see of the error may be so many times less than its largest value. */
#define SEEN 1.5

enum { TESTS = 3 /* a direction, in a checked step */, FIRST_RUNG = 5, STAGES = 2, CANDIDATE = 12 };

struct engine {
    const struct law_problem *problem;
    double error_norm, sharpness;
    struct joint_level level[2], middle;
    struct patches grid[2], middle_grid, pending;
    struct lobattos lobattos;
    struct rules rules;
    struct plane_work work;
    struct plane_oracle oracle;
    double *marginals;             /* what the directions' factors point to */
    struct lattice lattice, finer; /* of the stage, where it goes by one; and what checks it */
    double density[STAGES];        /* points of the lattice in a standard deviation of the noise */
    struct clip_bound clip;
    double distance; /* E_p|r - 1| after the last stage */
};

static void engine_free(struct engine *engine)
{
    for (int i = 0; i < 2; i++) {
        joint_level_free(&engine->level[i]);
        patches_free(&engine->grid[i]);
        for (int j = 0; j < 2; j++)
            mixture_level_free(&engine->oracle.direction[i].level[j]);
    }
    joint_level_free(&engine->middle);
    patches_free(&engine->middle_grid);
    patches_free(&engine->pending);
    lattice_free(&engine->lattice);
    lattice_free(&engine->finer);
    rules_free(&engine->rules);
    plane_work_free(&engine->work);
    free(engine->marginals);
}

/* ---- Score errors ---- */

/* The directions that the error acts in: both axes, the first, or the diagonal. */
static enum status set_directions(struct engine *engine, struct error *error)
{
    const struct law_problem *problem = engine->problem;
    const struct factor *factor = problem->factor;
    size_t components = factor->components;
    if (!(problem->error_share > 0.0))
        return STATUS_OK;
    enum error_spread spread = problem->score_error->spread;
    engine->marginals = array_new(components, 2 * sizeof *engine->marginals);
    if (engine->marginals == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components", components);
    engine->oracle.directions = spread == SPREAD_ALL ? 2 : 1;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < engine->oracle.directions && status == STATUS_OK; i++) {
        struct plane_direction *direction = &engine->oracle.direction[i];
        double *mean = engine->marginals + i * components;
        direction->axis[0] = spread == SPREAD_DIAGONAL ? M_SQRT1_2 : i == 0 ? 1.0 : 0.0;
        direction->axis[1] = spread == SPREAD_DIAGONAL ? M_SQRT1_2 : i == 0 ? 0.0 : 1.0;
        for (size_t k = 0; k < components; k++)
            mean[k] = direction->axis[0] * factor->mean[2 * k] + direction->axis[1] * factor->mean[2 * k + 1];
        direction->factor = (struct factor){1, components, factor->weight, mean, factor->sd, NULL};
        for (int j = 0; j < 2 && status == STATUS_OK; j++)
            status = mixture_level_new(&direction->factor, &direction->level[j], error);
    }
    return status;
}

/* At levels t and t-1, held in level[from] and level[1 - from]. */
static void set_errors(struct engine *engine, size_t t, int from)
{
    const struct law_problem *problem = engine->problem;
    double share = problem->error_share / (engine->oracle.directions > 0 ? (double)engine->oracle.directions : 1.0);
    for (size_t i = 0; i < engine->oracle.directions; i++)
        for (int at = 0; at < 2; at++) {
            struct plane_direction *direction = &engine->oracle.direction[i];
            struct mixture_level *level = &direction->level[at == 0 ? from : 1 - from];
            mixture_level_set(level, &engine->oracle.nominal[at]->level);
            engine->oracle.marginal[i][at] = level;
            score_error_at(problem->score_error, engine->error_norm, share, problem->schedule, t - (size_t)at, level,
                           &direction->error[at]);
        }
}

static enum status engine_init(struct engine *engine, const struct law_problem *problem, double resolution,
                               struct error *error)
{
    *engine = (struct engine){.problem = problem, .error_norm = 1.0, .sharpness = pow(resolution, -SHARPER)};

    if (problem->error_share > 0.0)
        engine->error_norm = score_error_norm(problem->score_error, problem->schedule);
    if (problem->sampler->correction != NULL && !(problem->clip > 0.0))
        engine->clip = (struct clip_bound){.steps = problem->schedule->T - 1, .T = problem->schedule->T};
    for (int i = 0; i < STAGES; i++)
        engine->density[i] = FIRST_DENSITY;
    lobattos_init(&engine->lobattos);
    plane_oracle_init(&engine->oracle);
    enum status status = rules_new(&engine->rules, error);
    if (status == STATUS_OK)
        status = plane_work_new(problem->sampler, &engine->work, error);
    for (int i = 0; i < 2 && status == STATUS_OK; i++)
        status = joint_level_new(problem->factor, &engine->level[i], error);
    if (status == STATUS_OK)
        status = joint_level_new(problem->factor, &engine->middle, error);
    return status == STATUS_OK ? set_directions(engine, error) : status;
}

/* ---- One patch ---- */

/* What fills patches: a stage, or at the start N(0, I)/p_T itself. */
struct source {
    struct engine *engine;
    const struct plane_transfer *transfer; /* NULL: the start */
    const struct lattice *lattice, *finer; /* not NULL: the stage goes by it, and is checked by the finer one */
    const struct joint_level *to;
    double tolerance; /* L1(p), of all patches together */
};

/* log r_T = log N(x; 0, I) - log p_T(x). */
static void evaluate_start(const struct joint_level *to, size_t anchor, size_t nx, const double *x, size_t ny,
                           const double *y, double *log_ratio, double *log_density)
{
    double at[2 * PATCH_MOST * PATCH_MOST] = {0.0};
    size_t points = nx * ny;
    for (size_t i = 0; i < points; i++) {
        at[i] = to->root_alpha_bar * x[i / ny];
        at[points + i] = to->root_alpha_bar * y[i % ny];
    }
    joint_level_evaluate(to, anchor, points, points, at, log_density, NULL);
    for (size_t i = 0; i < points; i++) {
        double first = at[i] + to->root_alpha_bar * to->factor->mean[2 * anchor];
        double second = at[points + i] + to->root_alpha_bar * to->factor->mean[2 * anchor + 1];
        log_ratio[i] = -0.5 * (first * first + second * second) - log(2.0 * M_PI) - log_density[i];
    }
}

/* log r and log p of the new reference at all (x[i], y[j]) in [-1, 1]^2 of the patch, by a lattice or, if that is
 * NULL, by rules of these rungs. */
static void evaluate_source(const struct source *source, const struct patch *patch, const struct lattice *lattice,
                            const size_t rung[2], size_t nx, const double *x, size_t ny, const double *y,
                            double *log_ratio, double *log_density)
{
    double column[PATCH_MOST], row[PATCH_MOST];
    for (size_t i = 0; i < nx; i++)
        column[i] = patch->centre[0] + patch->half * x[i];
    for (size_t j = 0; j < ny; j++)
        row[j] = patch->centre[1] + patch->half * y[j];
    const struct rule *const rule[2] = {&source->engine->rules.rung[rung[0]], &source->engine->rules.rung[rung[1]]};
    if (source->transfer == NULL)
        evaluate_start(source->to, patch->anchor, nx, column, ny, row, log_ratio, log_density);
    else if (lattice != NULL)
        lattice_apply(lattice, patch->anchor, nx, column, ny, row, log_ratio, log_density);
    else
        plane_transfer_apply(source->transfer, &source->engine->work, rule, patch->anchor, nx, column, ny, row,
                             log_ratio, log_density);
}

/* Sets the values, the mass of q and the part of E_p|r - 1|, which is returned. */
static double fill(const struct source *source, struct patch *patch)
{
    const struct engine *engine = source->engine;
    const struct lobatto *by[2] = {lobatto_of(&engine->lobattos, patch->order[0]),
                                   lobatto_of(&engine->lobattos, patch->order[1])};
    double log_density[PATCH_MOST * PATCH_MOST], of_p = 0.0, of_q = 0.0, moved = 0.0;
    evaluate_source(source, patch, source->lattice, patch->rung, patch->order[0], by[0]->node, patch->order[1],
                    by[1]->node, patch->value, log_density);
    double area = patch->half * patch->half * source->to->level.alpha_bar;
    for (size_t i = 0; i < patch->order[0]; i++)
        for (size_t j = 0; j < patch->order[1]; j++) {
            size_t at = i * patch->order[1] + j;
            double weight = area * by[0]->weight[i] * by[1]->weight[j] * exp(log_density[at]);
            of_p += weight;
            of_q += weight * exp(patch->value[at]);
            moved += weight * fabs(expm1(patch->value[at]));
        }
    /* the nodes need not resolve p itself, whose mass is known */
    double correct = of_p > 0.0 ? patch_mass(patch, source->to) / of_p : 1.0;
    patch->mass = of_q * correct;
    return moved * correct;
}

/* The relative error of r that a patch may have. */
static double allowed(const struct source *source, const struct patch *patch)
{
    double mass = fmin(patch->mass, 1.0), share = EVEN * source->tolerance * pow(mass, -GROWTH);
    share = fmax(share, NEGLIGIBLE * source->tolerance / mass);
    return fmin(fmax(share, NOISE), mass > NOTHING ? LOOSEST : 1.0);
}

/* Judges the tails and sets what the next step should have. Nonzero if that should be had at once. */
static int judge(const struct source *source, struct patch *patch)
{
    double wanted = allowed(source, patch), last[2], more[2];
    int redo = 0, shortest = 2.0 * patch->half < SHORTEST_SIDE * patch_scale(patch, source->to);
    patch_tails(patch, &source->engine->lobattos, 2, last);
    patch_tails(patch, &source->engine->lobattos, 4, more);
    for (int i = 0; i < 2; i++) {
        patch->next[i] = patch->order[i];
        if (last[i] > wanted)
            patch->next[i] += last[i] > 100.0 * REDO * wanted ? 4 : 2;
        else if (more[i] < SPARE * wanted && patch->order[i] > PATCH_LEAST)
            patch->next[i] -= 2;
        if (shortest && patch->next[i] > PATCH_MOST)
            patch->next[i] = PATCH_MOST;
        redo |= last[i] > REDO * wanted && patch->next[i] > patch->order[i];
    }
    return redo;
}

/* ---- Layout ---- */

/* Four patches in the place of one. */
static enum status split(const struct patch *patch, struct patches *pending, struct error *error)
{
    enum status status = STATUS_OK;
    for (uint64_t quarter = 0; quarter < 4 && status == STATUS_OK; quarter++) {
        struct patch child = *patch;
        child.depth++;
        child.at[0] = 2 * patch->at[0] + quarter / 2;
        child.at[1] = 2 * patch->at[1] + quarter % 2;
        for (int i = 0; i < 2; i++) {
            size_t order = patch->next[i] > PATCH_MOST ? PATCH_MOST - 4 : patch->next[i];
            child.order[i] = child.next[i] = order > 8 && patch->next[i] <= PATCH_MOST ? order - 2 : order;
        }
        status = patches_append(pending, &child, error);
    }
    return status;
}

static int must_split(const struct patch *patch)
{
    return patch->next[0] > PATCH_MOST || patch->next[1] > PATCH_MOST;
}

/* The parent of patch p, if its four children are there and one polynomial will do for them. */
static int merge(const struct source *source, const struct patches *grid, size_t p, struct patch *out)
{
    const struct patch *first = &grid->patch[p];
    const struct lobatto *lobatto = lobatto_of(&source->engine->lobattos, CANDIDATE);
    double x[CANDIDATE], y[CANDIDATE], tail[2], mass = 0.0;
    struct patch parent = *first;
    if (first->at[0] % 2 != 0 || first->at[1] % 2 != 0 || first->depth < 5)
        return 0;
    parent.depth--;
    parent.at[0] /= 2;
    parent.at[1] /= 2;
    patch_place(&parent, source->to, grid->root);
    if (2.0 * parent.half > LONGEST_SIDE * patch_scale(&parent, source->to))
        return 0;
    for (int quarter = 0; quarter < 4; quarter++) {
        double quarter_x = parent.centre[0] + (quarter / 2 == 0 ? -0.5 : 0.5) * parent.half;
        double quarter_y = parent.centre[1] + (quarter % 2 == 0 ? -0.5 : 0.5) * parent.half;
        const struct patch *child = &grid->patch[patches_find(grid, parent.anchor, quarter_x, quarter_y)];
        if (child->depth != first->depth || child->at[0] / 2 != parent.at[0] || child->at[1] / 2 != parent.at[1]
            || child->order[0] > CANDIDATE - 2 || child->order[1] > CANDIDATE - 2)
            return 0;
        mass += child->mass;
        for (int i = 0; i < 2; i++)
            parent.rung[i] = parent.rung[i] > child->rung[i] ? parent.rung[i] : child->rung[i];
    }
    for (size_t i = 0; i < CANDIDATE; i++) {
        x[i] = parent.centre[0] + parent.half * lobatto->node[i];
        y[i] = parent.centre[1] + parent.half * lobatto->node[i];
    }
    parent.order[0] = parent.order[1] = CANDIDATE;
    parent.mass = mass;
    patches_evaluate(grid, &source->engine->lobattos, parent.anchor, p, CANDIDATE, x, CANDIDATE, y, parent.value,
                     &source->engine->work.patches);
    for (int i = 0; i < 2; i++)
        parent.next[i] = 0;
    for (size_t degrees = 2; degrees + PATCH_LEAST <= CANDIDATE; degrees += 2) {
        patch_tails(&parent, &source->engine->lobattos, degrees, tail);
        for (int i = 0; i < 2; i++)
            if (tail[i] <= MERGED * allowed(source, &parent))
                parent.next[i] = CANDIDATE - degrees + 2;
    }
    for (int i = 0; i < 2; i++) {
        if (parent.next[i] == 0)
            return 0;
        parent.order[i] = parent.next[i];
    }
    *out = parent;
    return 1;
}

/* The patches that a stage should fill, from those of the stage before. */
static enum status plan(const struct source *source, const struct patches *from, int may_merge,
                        struct patches *pending, struct error *error)
{
    enum status status = STATUS_OK;
    pending->count = 0;
    pending->factor = from->factor;
    pending->root = from->root;
    char *merged = array_new(from->count, 1);
    if (merged == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu patches of the plane", from->count);
    for (size_t p = 0; p < from->count && may_merge && status == STATUS_OK; p++) {
        struct patch parent;
        if (!merge(source, from, p, &parent))
            continue;
        for (int quarter = 0; quarter < 4; quarter++)
            merged[patches_find(from, parent.anchor, parent.centre[0] + (quarter / 2 == 0 ? -0.5 : 0.5) * parent.half,
                                parent.centre[1] + (quarter % 2 == 0 ? -0.5 : 0.5) * parent.half)] = 1;
        status = patches_append(pending, &parent, error);
    }
    for (size_t p = 0; p < from->count && status == STATUS_OK; p++) {
        struct patch patch = from->patch[p];
        if (merged[p])
            continue;
        if (must_split(&patch)) {
            status = split(&patch, pending, error);
            continue;
        }
        for (int i = 0; i < 2; i++)
            patch.order[i] = patch.next[i];
        status = patches_append(pending, &patch, error);
    }
    free(merged);
    return status;
}

/* Fills the pending patches, and what they have to be cut into, into the grid. */
static enum status fill_pending(const struct source *source, struct patches *pending, struct patches *grid,
                                struct error *error)
{
    struct engine *engine = source->engine;
    enum status status = STATUS_OK;
    double distance = 0.0;
    grid->count = 0;
    grid->factor = pending->factor;
    grid->root = pending->root;
    while (pending->count > 0 && status == STATUS_OK) {
        struct patch patch = pending->patch[--pending->count];
        patch_place(&patch, source->to, pending->root);
        if (!patch_is_covered(&patch, source->to, REACH))
            continue;
        double moved = fill(source, &patch);
        int redo = judge(source, &patch);
        if (!isfinite(patch.mass) || !isfinite(patch.value[0]))
            return fail_with(error, STATUS_NUMERIC, "the law of %s is not finite in the plane",
                             engine->problem->sampler->name);
        if (redo && must_split(&patch))
            status = split(&patch, pending, error);
        else if (redo) {
            for (int i = 0; i < 2; i++)
                patch.order[i] = patch.next[i] > patch.order[i] ? patch.next[i] : patch.order[i];
            status = patches_append(pending, &patch, error);
        } else {
            distance += moved;
            status = patches_append(grid, &patch, error);
        }
    }
    engine->distance = distance;
    patches_shrink(grid);
    return status == STATUS_OK ? patches_index(grid, error) : status;
}

/* ---- Checks ---- */

/* E_p|e| of an error e of r, and E_p e^2/r: what a Markov operator on densities does not increase. */
struct norms {
    double l1, l2_squared;
};

static void norms_add(struct norms *norms, double mass, double relative)
{
    norms->l1 += mass * relative;
    norms->l2_squared += mass * relative * relative;
}

/* What one stage does wrong on a patch, the largest errors of q: interpolation and quadrature together; of its rules,
 * in either direction; of the next smaller ones. Relative to the patch's mean, and to what is there where that is
 * less. */
struct local_error {
    double total, quadrature[2], coarser[2];
};

/* Where polynomials of this order err most, between the nodes: in the middle, where their error is largest, and near
 * the sides, where most of the mass may be. */
static void test_places(size_t order, double *out)
{
    double last = (double)(order - 1), side = order > PATCH_LEAST ? 1.5 : 0.5;
    double middle = floor(0.5 * last) + 0.5; /* not at 0, for the sake of odd functions */
    out[0] = -cos(M_PI * side / last);
    out[1] = cos(M_PI * (order > PATCH_LEAST ? middle - 1.0 : middle) / last);
    out[2] = cos(M_PI * side / last);
}

enum { POINTS = TESTS * TESTS };

/* Values at the test points of a patch. */
struct probe {
    double x[TESTS], y[TESTS], value[POINTS], exact[POINTS];
    double part[POINTS]; /* of the patch's mass, if all of it were as dense as here; at most 1 */
};

static double largest_error(const struct probe *probe, const double *value, const double *exact)
{
    double largest = 0.0;
    for (int j = 0; j < POINTS; j++)
        largest = fmax(largest, probe->part[j] * fabs(expm1(value[j] - exact[j])));
    return largest;
}

/* The same, but an error that would grow by exponentiation counts in full however little is there. */
static double growing_error(const struct probe *probe, const double *value, const double *exact)
{
    double largest = largest_error(probe, value, exact);
    for (int j = 0; j < POINTS; j++) {
        double error = fabs(expm1(value[j] - exact[j]));
        largest = error > LOOSEST ? fmax(largest, error) : largest;
    }
    return largest;
}

/* By rules of its rungs, against finer ones in either direction, whose corrections are small and add up. */
static void probe_rules(const struct source *source, const struct patch *patch, struct probe *probe,
                        struct local_error *error)
{
    double other[POINTS], log_density[POINTS];
    for (int i = 0; i < 2; i++)
        for (int finer = 1; finer >= 0; finer--) {
            size_t rung[2] = {patch->rung[0], patch->rung[1]};
            rung[i] = finer ? rung[i] + FINER : rung[i] > 0 ? rung[i] - 1 : 0;
            evaluate_source(source, patch, NULL, rung, TESTS, probe->x, TESTS, probe->y, other, log_density);
            *(finer ? &error->quadrature[i] : &error->coarser[i]) = growing_error(probe, probe->value, other);
            for (int j = 0; j < POINTS && finer; j++)
                probe->exact[j] += other[j] - probe->value[j];
        }
}

/* The largest relative errors at the test points of one patch. */
static struct local_error check_patch(const struct source *source, const struct patch *patch, struct probe *probe)
{
    double made[POINTS], log_density[POINTS];
    struct local_error error = {0.0, {0.0, 0.0}, {0.0, 0.0}};
    test_places(patch->order[0], probe->x);
    test_places(patch->order[1], probe->y);
    evaluate_source(source, patch, source->lattice, patch->rung, TESTS, probe->x, TESTS, probe->y, probe->value,
                    log_density);
    memcpy(probe->exact, probe->value, sizeof probe->exact);
    double area = 4.0 * patch->half * patch->half * source->to->level.alpha_bar;
    for (int j = 0; j < POINTS; j++)
        probe->part[j] = fmin(area * exp(log_density[j] + probe->value[j]) / patch->mass, 1.0);
    if (source->lattice != NULL) {
        evaluate_source(source, patch, source->finer, patch->rung, TESTS, probe->x, TESTS, probe->y, probe->exact,
                        log_density);
        error.quadrature[0] = largest_error(probe, probe->value, probe->exact);
    } else if (source->transfer != NULL)
        probe_rules(source, patch, probe, &error);
    patch_evaluate(patch, &source->engine->lobattos, TESTS, probe->x, TESTS, probe->y, made);
    error.total = largest_error(probe, made, probe->exact);
    return error;
}

/* The finest rule that a patch may have: next to no mass is not worth more. */
static size_t top_rung(const struct patch *patch)
{
    return patch->mass > OUTER_MASS ? PLANE_TOP_RUNG : OUTER_RUNG;
}

/* What rungs the patch would need if the stage did not go by a lattice. */
static void track_rungs(const struct source *source, struct patch *patch, const struct probe *probe, double wanted)
{
    double value[POINTS], log_density[POINTS];
    size_t top = top_rung(patch);
    patch->hard = 0;
    for (int i = 0; i < 2; i++)
        patch->rung[i] = patch->rung[i] < top ? patch->rung[i] : top;
    for (int i = 0; i < 2; i++)
        for (int lower = 1; lower >= 0; lower--)
            for (;;) {
                size_t rung[2] = {patch->rung[0], patch->rung[1]};
                if (lower ? rung[i] == 0 : rung[i] >= top)
                    break;
                rung[i] -= lower ? 1 : 0;
                evaluate_source(source, patch, NULL, rung, TESTS, probe->x, TESTS, probe->y, value, log_density);
                int good = growing_error(probe, value, probe->exact) <= LOWER * wanted;
                patch->hard |= !lower && !good && rung[i] + 1 >= PLANE_TOP_RUNG;
                if (good != lower)
                    break;
                patch->rung[i] = lower ? rung[i] : rung[i] + 1;
            }
}

/* What a checked step does wrong: as steps were made up to now, as it was made itself, and as they will be made. */
enum { AS_BEFORE, AS_MADE, FROM_NOW_ON, WAYS };
struct step_error {
    struct norms way[WAYS];
};

/* Raises the rules that are too coarse. Nonzero if any was. */
static int raise_rungs(struct patch *patch, const struct local_error *local, double wanted)
{
    int raised = 0;
    for (int i = 0; i < 2; i++) {
        size_t top = top_rung(patch);
        if (!(local->quadrature[i] > wanted) || patch->rung[i] >= top)
            continue;
        size_t rung = patch->rung[i] + (local->quadrature[i] > FAR_OFF * wanted ? 3 : 1);
        patch->rung[i] = rung < top ? rung : top;
        raised = 1;
    }
    return raised;
}

/* Checks every patch of a filled grid and raises rules that are too coarse. */
static enum status check(const struct source *source, struct patches *grid, struct step_error *wrong,
                         double *quadrature, struct error *error)
{
    struct norms way[WAYS] = {{0.0, 0.0}};
    *quadrature = 0.0;
    for (size_t p = 0; p < grid->count; p++) {
        struct patch *patch = &grid->patch[p];
        struct probe probe;
        int by_rules = source->transfer != NULL && source->lattice == NULL;
        struct local_error local = check_patch(source, patch, &probe);
        double wanted = allowed(source, patch);
        norms_add(&way[AS_BEFORE], patch->mass, local.total);
        while (by_rules && raise_rungs(patch, &local, wanted)) {
            (void)fill(source, patch);
            (void)judge(source, patch);
            wanted = allowed(source, patch);
            local = check_patch(source, patch, &probe);
        }
        *quadrature += patch->mass * local.quadrature[0];
        norms_add(&way[AS_MADE], patch->mass, local.total);
        if (source->lattice != NULL)
            track_rungs(source, patch, &probe, wanted);
        for (int i = 0; i < 2; i++)
            if (by_rules && patch->rung[i] > 0 && local.coarser[i] < LOWER * wanted) {
                patch->rung[i]--;
                local.total += local.coarser[i];
            }
        norms_add(&way[FROM_NOW_ON], patch->mass, local.total);
    }
    if (!isfinite(way[AS_MADE].l1))
        return fail_with(error, STATUS_NUMERIC, "the law of %s is not finite in the plane",
                         source->engine->problem->sampler->name);
    for (int i = 0; i < WAYS; i++) {
        wrong->way[i].l1 += fmax(SEEN * way[i].l1 - ROUNDING, 0.0);
        wrong->way[i].l2_squared += fmax(SEEN * sqrt(way[i].l2_squared) - ROUNDING, 0.0);
    }
    return STATUS_OK;
}

/* Where the error of the steps so far is added up; l2_squared of a way is its root by then. */
struct tally {
    double l1, l2;
    struct step_error previous; /* of the last checked step */
    size_t unaccounted;         /* steps since then, the present one included */
    size_t steps;
};

static void tally_add(struct tally *tally, const struct step_error *wrong)
{
    const struct norms *before = &wrong->way[AS_BEFORE], *since = &tally->previous.way[FROM_NOW_ON];
    double between = (double)(tally->unaccounted - 1);
    tally->l1 += fmax(before->l1, since->l1) * between + wrong->way[AS_MADE].l1;
    tally->l2 += fmax(before->l2_squared, since->l2_squared) * between + wrong->way[AS_MADE].l2_squared;
    tally->previous = *wrong;
    tally->unaccounted = 0;
}

/* ---- Clips ---- */

/* The norm of the correction under q, at the nodes of all patches. */
static enum status watch_clip(struct engine *engine, const struct plane_transfer *transfer, struct error *error)
{
    const struct patches *grid = transfer->grid;
    size_t room = PATCH_MOST * PATCH_MOST, used = 0;
    double *weight = grid->count <= SIZE_MAX / (2 * room) ? array_new(2 * room * grid->count, sizeof *weight) : NULL;
    if (weight == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu patches of the plane", grid->count);
    double *norm = weight + room * grid->count, *x = engine->work.x, *c = engine->work.increment;
    for (size_t p = 0; p < grid->count; p++) {
        const struct patch *patch = &grid->patch[p];
        const struct lobatto *by[2] = {lobatto_of(&engine->lobattos, patch->order[0]),
                                       lobatto_of(&engine->lobattos, patch->order[1])};
        size_t points = patch->order[0] * patch->order[1];
        double total = 0.0;
        for (size_t i = 0; i < points; i++) {
            size_t column = i / patch->order[1], row = i % patch->order[1];
            x[i] = transfer->from->root_alpha_bar * (patch->centre[0] + patch->half * by[0]->node[column]);
            x[points + i] = transfer->from->root_alpha_bar * (patch->centre[1] + patch->half * by[1]->node[row]);
            weight[used + i] = by[0]->weight[column] * by[1]->weight[row];
        }
        joint_level_evaluate(transfer->from, patch->anchor, points, points, x, engine->work.log_density, NULL);
        for (size_t i = 0; i < points; i++)
            total += weight[used + i] *= exp(engine->work.log_density[i] + patch->value[i]);
        engine->oracle.anchor = patch->anchor;
        engine->oracle.work = engine->work.oracle_work;
        transfer->sampler->correction(transfer->step, &engine->oracle.base, 2 * points, x, c, engine->work.work);
        for (size_t i = 0; i < points; i++) {
            weight[used + i] *= total > 0.0 ? patch->mass / total : 0.0;
            norm[used + i] = hypot(c[i], c[points + i]);
        }
        used += points;
    }
    clip_bound_add(&engine->clip, used, weight, norm);
    free(weight);
    return STATUS_OK;
}

/* ---- Steps ---- */

static double tolerance_of(const struct engine *engine)
{
    const struct schedule *schedule = engine->problem->schedule;
    double distance = fmax(engine->distance, EXPECTED * schedule->h * schedule->h);
    double relative = RELATIVE * distance / (double)(schedule->T - 1);
    return engine->sharpness * fmax(relative, TOLERANCE);
}

/* Whether the stage goes by a lattice: what costs less, as measured on one machine. */
static int by_lattice(const struct engine *engine, const struct plane_transfer *transfer, double density)
{
    double rules = 0.0, nodes = 0.0, seen = 2.0 * 8.5 * density;
    for (size_t p = 0; p < transfer->grid->count; p++) {
        const struct patch *patch = &transfer->grid->patch[p];
        double own = (double)(patch->order[0] * patch->order[1]);
        nodes += own;
        if (patch->hard)
            rules = HUGE_VAL;
        rules += own * (double)(engine->rules.rung[patch->rung[0]].n * engine->rules.rung[patch->rung[1]].n);
    }
    if (lattice_size(transfer, FINER_LATTICE * density) > LARGEST_LATTICE)
        return 0;
    double lattice = POINT_COST * lattice_size(transfer, density) + PAIR_COST * nodes * seen * seen;
    return lattice < rules;
}

/* Fills the grid through the stage, by rules or by a lattice. */
static enum status pass_stage(struct engine *engine, struct source *source, int checked, double density,
                              struct patches *grid, struct error *error)
{
    enum status status = STATUS_OK;
    source->lattice = source->finer = NULL;
    if (density > 0.0) {
        status = lattice_build(source->transfer, density, REACH, &engine->work, &engine->lattice, error);
        source->lattice = &engine->lattice;
    }
    if (density > 0.0 && checked && status == STATUS_OK) {
        status =
            lattice_build(source->transfer, FINER_LATTICE * density, REACH, &engine->work, &engine->finer, error);
        source->finer = &engine->finer;
    }
    if (status == STATUS_OK)
        status = plan(source, source->transfer->grid, checked, &engine->pending, error);
    return status == STATUS_OK ? fill_pending(source, &engine->pending, grid, error) : status;
}

static enum status make_stage(struct engine *engine, const struct plane_transfer *transfer, int stage, int checked,
                              struct patches *grid, struct step_error *wrong, struct error *error)
{
    struct source source = {engine, transfer, NULL, NULL, transfer->to, tolerance_of(engine)};
    double *density = &engine->density[stage], quadrature = 0.0;
    int lattice = by_lattice(engine, transfer, *density);
    enum status status = STATUS_OK;
    if (checked && transfer->moves && engine->clip.steps > 0)
        status = watch_clip(engine, transfer, error);
    for (int again = 1; again && status == STATUS_OK;) {
        struct step_error local = *wrong;
        status = pass_stage(engine, &source, checked, lattice ? *density : 0.0, grid, error);
        if (checked && status == STATUS_OK)
            status = check(&source, grid, &local, &quadrature, error);
        /* the error falls like exp(-constant density^2) */
        double wanted = LATTICE_SHARE * source.tolerance + ROUNDING;
        double change = sqrt(log(wanted) / log(fmin(quadrature, 0.5)));
        again = checked && lattice && quadrature > wanted && *density < DENSEST;
        if (again)
            *density = fmin(*density * fmin(fmax(change, LEAST_DENSER), MOST_DENSER), DENSEST);
        else
            *wrong = local;
        if (checked && lattice && !again)
            *density = fmax(*density * fmax(fmin(SPARE_DENSITY * change, 1.0), 1.0 / MOST_DENSER), SPARSEST);
    }
    return status;
}

/* t's reference with the noise that comes before the map. */
static void set_middle(struct engine *engine, const struct step *step, const struct joint_level *from)
{
    struct level level = from->level;
    level.noise += step->beta * exp(engine->problem->sampler->log_noise_before(step));
    joint_level_set(&engine->middle, &level);
}

static enum status make_step(struct engine *engine, const struct step *step, int from, int checked,
                             struct tally *tally, struct error *error)
{
    const struct sampler *sampler = engine->problem->sampler;
    struct joint_level *level_from = &engine->level[from], *level_to = &engine->level[1 - from];
    struct patches *grid_from = &engine->grid[from];
    struct plane_transfer transfer;
    struct step_error wrong = {{{0.0, 0.0}}};
    enum status status = STATUS_OK;
    joint_level_set(level_to, &step->to);
    engine->oracle.nominal[0] = level_from;
    engine->oracle.nominal[1] = level_to;
    set_errors(engine, step->t, from);
    if (sampler->log_noise_before != NULL) {
        set_middle(engine, step, level_from);
        plane_transfer_init(&transfer, sampler, step, 1, level_from, &engine->middle, grid_from, &engine->lobattos,
                            &engine->oracle);
        status = make_stage(engine, &transfer, 1, checked, &engine->middle_grid, &wrong, error);
        level_from = &engine->middle;
        grid_from = &engine->middle_grid;
    }
    if (status == STATUS_OK) {
        plane_transfer_init(&transfer, sampler, step, 0, level_from, level_to, grid_from, &engine->lobattos,
                            &engine->oracle);
        status = make_stage(engine, &transfer, 0, checked, &engine->grid[1 - from], &wrong, error);
    }
    if (checked && status == STATUS_OK)
        tally_add(tally, &wrong);
    return status;
}

/* log r_T on patches: once to learn how large it is, and once as its tolerance then asks. */
static enum status start(struct engine *engine, struct tally *tally, struct error *error)
{
    struct level level = schedule_level(engine->problem->schedule, engine->problem->schedule->T);
    struct source source = {engine, NULL, NULL, NULL, &engine->level[0], HUGE_VAL};
    double quadrature;
    struct step_error wrong = {{{0.0, 0.0}}};
    joint_level_set(&engine->level[0], &level);
    enum status status = STATUS_OK;
    for (int pass = 0; pass < 2 && status == STATUS_OK; pass++) {
        status = patches_cover(&engine->level[0], REACH, FIRST_SIDE, &engine->pending, error);
        for (size_t p = 0; p < engine->pending.count; p++) {
            struct patch *patch = &engine->pending.patch[p];
            patch->rung[0] = patch->rung[1] = FIRST_RUNG;
            patch->next[0] = patch->next[1] = patch->order[0];
        }
        if (status == STATUS_OK)
            status = fill_pending(&source, &engine->pending, &engine->grid[0], error);
        source.tolerance = tolerance_of(engine);
    }
    if (status == STATUS_OK)
        status = check(&source, &engine->grid[0], &wrong, &quadrature, error);
    tally->l1 = wrong.way[AS_MADE].l1;
    tally->l2 = wrong.way[AS_MADE].l2_squared;
    return status;
}

/* Nonzero where the score error begins or ends: steps on either side of it say nothing about one another. */
static int error_switches(const struct engine *engine, size_t t)
{
    const struct law_problem *problem = engine->problem;
    if (!(problem->error_share > 0.0))
        return 0;
    double (*weight)(const struct schedule *, size_t) = problem->score_error->profile->weight;
    size_t before = t < problem->schedule->T ? t + 1 : t;
    int now = weight(problem->schedule, t) > 0.0;
    return now != (weight(problem->schedule, before) > 0.0) || now != (weight(problem->schedule, t - 1) > 0.0);
}

static enum status propagate(struct engine *engine, struct tally *tally, int *last, struct error *error)
{
    const struct schedule *schedule = engine->problem->schedule;
    size_t stride = (size_t)fmin(fmax(CHECK_EVERY / schedule->h, 1.0), 64.0);
    enum status status = start(engine, tally, error);
    int from = 0;
    for (size_t t = schedule->T; t >= 2 && status == STATUS_OK; t--, from = 1 - from) {
        struct step step = schedule_step(schedule, t);
        step.clip = engine->problem->clip > 0.0 ? engine->problem->clip : HUGE_VAL;
        tally->unaccounted++;
        tally->steps++;
        int checked = (schedule->T - t) % stride == 0 || t == 2 || error_switches(engine, t);
        status = make_step(engine, &step, from, checked, tally, error);
    }
    *last = from;
    return status;
}

static enum status compute(const struct law_problem *problem, double resolution, struct law *out, struct error *error)
{
    struct engine engine;
    struct tally tally = {0};
    int last = 0;
    *out = (struct law){.engine = &engine_plane};
    enum status status = engine_init(&engine, problem, resolution, error);
    if (status == STATUS_OK)
        status = propagate(&engine, &tally, &last, error);
    if (status == STATUS_OK)
        status =
            plane_rows_make(&engine.grid[last], &engine.lobattos, &engine.level[last].level, resolution, out, error);
    if (status == STATUS_OK) {
        double rounding = 3.0 * ROUNDING * sqrt((double)tally.steps);
        out->node_updates = engine.work.node_updates;
        out->clip = engine.clip;
        out->error_l1 += tally.l1 + rounding;
        out->error_l2 += tally.l2 + rounding;
    }
    engine_free(&engine);
    if (status != STATUS_OK)
        law_free(out);
    return status;
}

/* Maps without noise and errors that jump are not this engine's. */
static int handles(const struct law_problem *problem)
{
    const struct factor *factor = problem->factor;
    int smooth = 1;
    if (problem->error_share > 0.0 && problem->score_error->shape != NULL) {
        const struct error_shape *shape = problem->score_error->shape;
        smooth = shape->affine || (shape->parameters & ERROR_ROUGHNESS);
    }
    return factor->dimension == 2 && factor->full == NULL && factor->mean != NULL
           && problem->sampler->log_noise_ratio != NULL && smooth;
}

const struct law_engine engine_plane = {
    .name = "plane",
    .doc = "Density-ratio propagation in the plane, for mixtures in two coordinates that do not separate; stochastic "
           "samplers and smooth score errors.",
    .source = "theory (14)-(15)",
    .handles = handles,
    .compute = compute,
};
