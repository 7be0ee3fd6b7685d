#include "law/plane/fill.h"

#include <math.h>

#include "core/memory.h"

/* A patch of mass m may have the relative error EVEN m^-GROWTH times the tolerance: more where there is less mass,
 * but neighbours must not differ by much, for an error just beyond a side is a kink within. */
#define EVEN 0.15
#define GROWTH (2.0 / 3.0)
/* Of values on a patch: no tail is asked to be below it. */
#define NOISE 3e-15
/* A patch with less than this part of the tolerance is not worth more; nor is next to no mass. */
#define NEGLIGIBLE 1e-4
#define NOTHING 1e-18
/* A tail beyond REDO tolerances is not left as it is; below SPARE, two nodes less will do. */
#define REDO 4.0
#define SPARE 0.05
/* Four patches whose common polynomial would be so good become one. */
#define MERGED 0.1
/* Sides of patches in local scales, at most and at least. */
#define LONGEST_SIDE 4.0
#define SHORTEST_SIDE 0.02

enum { CANDIDATE = 12 /* nodes on four patches together */ };

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
void plane_evaluate(const struct plane_source *source, const struct patch *patch, const struct lattice *lattice,
                    const size_t rung[2], size_t nx, const double *x, size_t ny, const double *y, double *log_ratio,
                    double *log_density)
{
    double column[PATCH_MOST], row[PATCH_MOST];
    for (size_t i = 0; i < nx; i++)
        column[i] = patch->centre[0] + patch->half * x[i];
    for (size_t j = 0; j < ny; j++)
        row[j] = patch->centre[1] + patch->half * y[j];
    const struct rule *const rule[2] = {&source->rules->rung[rung[0]], &source->rules->rung[rung[1]]};
    if (source->transfer == NULL)
        evaluate_start(source->to, patch->anchor, nx, column, ny, row, log_ratio, log_density);
    else if (lattice != NULL)
        lattice_apply(lattice, patch->anchor, nx, column, ny, row, log_ratio, log_density);
    else
        plane_transfer_apply(source->transfer, source->work, rule, patch->anchor, nx, column, ny, row, log_ratio,
                             log_density);
}

/* Sets the values, the mass of q and the part of E_p|r - 1|, which is returned. */
double plane_fill(const struct plane_source *source, struct patch *patch)
{
    const struct lobatto *by[2] = {lobatto_of(source->lobattos, patch->order[0]),
                                   lobatto_of(source->lobattos, patch->order[1])};
    double log_density[PATCH_MOST * PATCH_MOST], of_p = 0.0, of_q = 0.0, moved = 0.0;
    plane_evaluate(source, patch, source->lattice, patch->rung, patch->order[0], by[0]->node, patch->order[1],
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
double plane_allowed(const struct plane_source *source, const struct patch *patch)
{
    double mass = fmin(patch->mass, 1.0), share = EVEN * source->tolerance * pow(mass, -GROWTH);
    share = fmax(share, NEGLIGIBLE * source->tolerance / mass);
    return fmin(fmax(share, NOISE), mass > NOTHING ? LOOSEST : 1.0);
}

/* Judges the tails and sets what the next step should have. Nonzero if that should be had at once. */
int plane_judge(const struct plane_source *source, struct patch *patch)
{
    double wanted = plane_allowed(source, patch), last[2], more[2];
    int redo = 0, shortest = 2.0 * patch->half < SHORTEST_SIDE * patch_scale(patch, source->to);
    patch_tails(patch, source->lobattos, 2, last);
    patch_tails(patch, source->lobattos, 4, more);
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
static int merge(const struct plane_source *source, const struct patches *grid, size_t p, struct patch *out)
{
    const struct patch *first = &grid->patch[p];
    const struct lobatto *lobatto = lobatto_of(source->lobattos, CANDIDATE);
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
    patches_evaluate(grid, source->lobattos, parent.anchor, p, CANDIDATE, x, CANDIDATE, y, parent.value,
                     &source->work->patches);
    for (int i = 0; i < 2; i++)
        parent.next[i] = 0;
    for (size_t degrees = 2; degrees + PATCH_LEAST <= CANDIDATE; degrees += 2) {
        patch_tails(&parent, source->lobattos, degrees, tail);
        for (int i = 0; i < 2; i++)
            if (tail[i] <= MERGED * plane_allowed(source, &parent))
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
enum status plane_plan(const struct plane_source *source, const struct patches *from, int may_merge,
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
enum status plane_fill_pending(struct plane_source *source, struct patches *pending, struct patches *grid,
                               struct error *error)
{
    enum status status = STATUS_OK;
    double distance = 0.0;
    grid->count = 0;
    grid->factor = pending->factor;
    grid->root = pending->root;
    while (pending->count > 0 && status == STATUS_OK) {
        struct patch patch = pending->patch[--pending->count];
        patch_place(&patch, source->to, pending->root);
        if (!patch_is_covered(&patch, source->to, PLANE_REACH))
            continue;
        double moved = plane_fill(source, &patch);
        int redo = plane_judge(source, &patch);
        if (!isfinite(patch.mass) || !isfinite(patch.value[0]))
            return fail_with(error, STATUS_NUMERIC, "the law of %s is not finite in the plane", source->sampler);
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
    source->distance = distance;
    patches_shrink(grid);
    return status == STATUS_OK ? patches_index(grid, error) : status;
}
