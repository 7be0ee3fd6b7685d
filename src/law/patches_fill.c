#include "law/patches_fill.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "core/vmath.h"
#include "law/tuning.h"

/* exp of it is finite: a patch that does not resolve p at all, and is about to be cut, may hold more. */
#define MOST_LOG_RATIO 700.0

struct patch_source patch_source_of_thread(const struct patch_source *source, size_t thread)
{
    struct patch_source own = *source;
    if (team_threads(source->team) > 1)
        source->use_thread(&own, thread);
    return own;
}

size_t patch_stands_for(const struct patch_source *source, const struct patch *patch)
{
    return source->stands_for != NULL ? source->stands_for(source, patch) : 1;
}

double patch_fill(const struct patch_source *source, struct patch *patch)
{
    const struct lobatto *by[2] = {lobatto_of(source->lobattos, patch->nodes[0]),
                                   lobatto_of(source->lobattos, patch->nodes[1])};
    double log_density[PATCH_MOST * PATCH_MOST], p[PATCH_MOST * PATCH_MOST], r[PATCH_MOST * PATCH_MOST],
        excess[PATCH_MOST * PATCH_MOST], of_p = 0.0, of_q = 0.0, moved = 0.0, largest = -HUGE_VAL;
    const struct patch_query query = {.order = {patch->order[0], patch->order[1]},
                                      .nx = patch->nodes[0],
                                      .ny = patch->nodes[1],
                                      .x = by[0]->node,
                                      .y = by[1]->node};
    source->evaluate(source, patch, &query, patch->value, log_density);
    size_t points = patch->nodes[0] * patch->nodes[1];
    for (size_t at = 0; at < points; at++) {
        excess[at] = patch->value[at] > MOST_LOG_RATIO ? MOST_LOG_RATIO : patch->value[at];
        largest = fmax(largest, log_density[at]);
    }
    for (size_t at = 0; at < points; at++)
        log_density[at] -= largest;
    vexp(points, log_density, p);
    vexp(points, excess, r);
    vexpm1(points, excess, excess);
    for (size_t i = 0; i < patch->nodes[0]; i++)
        for (size_t j = 0; j < patch->nodes[1]; j++) {
            size_t at = i * patch->nodes[1] + j;
            double weight = by[0]->weight[i] * by[1]->weight[j] * p[at];
            of_p += weight;
            of_q += weight * r[at];
            moved += weight * fabs(excess[at]);
        }
    /* the nodes need not resolve p itself, whose mass is known: only ratios of sums count */
    double correct = source->domain->mass(source->context, patch) / of_p;
    patch->mass = of_q * correct;
    return moved * correct;
}

double patch_allowed(const struct patch_source *source, const struct patch *patch)
{
    double mass = fmin(patch->mass, 1.0), share = PATCH_SHARE * source->tolerance * pow(mass, -PATCH_SHARE_POWER);
    share = fmax(share, PATCH_NEGLIGIBLE_PART * source->tolerance / mass);
    return fmin(fmax(share, source->floor), mass > PATCH_NEGLIGIBLE_MASS ? PATCH_LOOSEST : 1.0);
}

bool patch_judge(const struct patch_source *source, struct patch *patch)
{
    double wanted = patch_allowed(source, patch), last[2], more[2];
    bool redo = false,
         shortest = 2.0 * patch->half < PATCH_SHORTEST_SIDE * source->domain->scale(source->context, patch);
    patch_tails(patch, source->lobattos, 2, last);
    patch_tails(patch, source->lobattos, 4, more);
    for (int i = 0; i < 2; i++) {
        patch->next[i] = patch->nodes[i];
        if (last[i] > wanted)
            patch->next[i] += last[i] > 100.0 * PATCH_REFILL_ABOVE * wanted ? 4 : 2;
        else if (more[i] < PATCH_FEWER_BELOW * wanted && patch->nodes[i] > PATCH_LEAST)
            patch->next[i] -= 2;
        if (shortest && patch->next[i] > PATCH_MOST)
            patch->next[i] = PATCH_MOST;
        redo |= last[i] > PATCH_REFILL_ABOVE * wanted && patch->next[i] > patch->nodes[i];
    }
    return redo;
}

/* ---- Layout ---- */

/* Four patches in the place of one. */
static enum status split(const struct patch *patch, struct patches *pending, struct error *error)
{
    for (unsigned quarter = 0; quarter < 4; quarter++) {
        struct patch child = patch_quarter(patch, quarter / 2, quarter % 2);
        for (int i = 0; i < 2; i++) {
            size_t nodes = patch->next[i] > PATCH_MOST ? PATCH_MOST - 4 : patch->next[i];
            child.nodes[i] = child.next[i] = nodes > 8 && patch->next[i] <= PATCH_MOST ? nodes - 2 : nodes;
        }
        TRY(patches_append(pending, &child, error));
    }
    return STATUS_OK;
}

static bool must_split(const struct patch *patch)
{
    return patch->next[0] > PATCH_MOST || patch->next[1] > PATCH_MOST;
}

/* The parent of patch p, if its four children are there and one polynomial will do for them. */
static bool merge(const struct patch_source *source, const struct patches *grid, size_t p, struct patch *out)
{
    const struct patch *first = &grid->patch[p];
    const struct lobatto *lobatto = lobatto_of(source->lobattos, PATCH_MERGE_NODES);
    double x[PATCH_MERGE_NODES], y[PATCH_MERGE_NODES], tail[2], mass = 0.0;
    struct patch parent = *first;
    if (first->at[0] % 2 != 0 || first->at[1] % 2 != 0 || first->depth < 5)
        return 0;
    parent.depth--;
    parent.at[0] /= 2;
    parent.at[1] /= 2;
    source->domain->place(source->context, &parent, &grid->root);
    if (2.0 * parent.half > PATCH_LONGEST_SIDE * source->domain->scale(source->context, &parent))
        return 0;
    for (int quarter = 0; quarter < 4; quarter++) {
        double quarter_x = parent.centre[0] + (quarter / 2 == 0 ? -0.5 : 0.5) * parent.half;
        double quarter_y = parent.centre[1] + (quarter % 2 == 0 ? -0.5 : 0.5) * parent.half;
        const struct patch *child = &grid->patch[patches_find(grid, parent.anchor, quarter_x, quarter_y)];
        if (child->depth != first->depth || child->at[0] / 2 != parent.at[0] || child->at[1] / 2 != parent.at[1]
            || child->nodes[0] > PATCH_MERGE_NODES - 2 || child->nodes[1] > PATCH_MERGE_NODES - 2)
            return 0;
        mass += child->mass;
        parent.by_lattice |= child->by_lattice;
        for (int i = 0; i < 2; i++)
            parent.order[i] = parent.order[i] > child->order[i] ? parent.order[i] : child->order[i];
    }
    for (size_t i = 0; i < PATCH_MERGE_NODES; i++) {
        x[i] = parent.centre[0] + parent.half * lobatto->node[i];
        y[i] = parent.centre[1] + parent.half * lobatto->node[i];
    }
    parent.nodes[0] = parent.nodes[1] = PATCH_MERGE_NODES;
    parent.mass = mass;
    patches_evaluate(grid, source->lobattos, parent.anchor, p, PATCH_MERGE_NODES, x, PATCH_MERGE_NODES, y,
                     parent.value, source->work);
    for (int i = 0; i < 2; i++)
        parent.next[i] = 0;
    for (size_t degrees = 2; degrees + PATCH_LEAST <= PATCH_MERGE_NODES; degrees += 2) {
        patch_tails(&parent, source->lobattos, degrees, tail);
        for (int i = 0; i < 2; i++)
            if (tail[i] <= PATCH_MERGE_BELOW * patch_allowed(source, &parent))
                parent.next[i] = PATCH_MERGE_NODES - degrees + 2;
    }
    for (int i = 0; i < 2; i++) {
        if (parent.next[i] == 0)
            return 0;
        parent.nodes[i] = parent.next[i];
    }
    *out = parent;
    return 1;
}

static enum status plan(const struct patch_source *source, const struct patches *from, bool may_merge, char *merged,
                        struct patches *pending, struct error *error)
{
    for (size_t p = 0; p < from->count && may_merge; p++) {
        struct patch parent;
        if (!merge(source, from, p, &parent))
            continue;
        for (int quarter = 0; quarter < 4; quarter++)
            merged[patches_find(from, parent.anchor, parent.centre[0] + (quarter / 2 == 0 ? -0.5 : 0.5) * parent.half,
                                parent.centre[1] + (quarter % 2 == 0 ? -0.5 : 0.5) * parent.half)] = 1;
        TRY(patches_append(pending, &parent, error));
    }
    for (size_t p = 0; p < from->count; p++) {
        struct patch patch = from->patch[p];
        if (merged[p])
            continue;
        if (must_split(&patch)) {
            TRY(split(&patch, pending, error));
            continue;
        }
        for (int i = 0; i < 2; i++)
            patch.nodes[i] = patch.next[i];
        TRY(patches_append(pending, &patch, error));
    }
    return STATUS_OK;
}

enum status patches_plan(const struct patch_source *source, const struct patches *from, bool may_merge,
                         struct patches *pending, struct error *error)
{
    pending->count = 0;
    pending->factor = from->factor;
    pending->root = from->root;
    char *merged = array_new(from->count, 1);
    if (merged == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu patches", from->count);
    enum status status = plan(source, from, may_merge, merged, pending, error);
    free(merged);
    return status;
}

/* What has become of a pending patch. */
struct filled {
    double moved;  /* its part of E_p|r - 1| */
    size_t stands; /* for so many */
    bool covered, redo;
};

struct filling {
    const struct patch_source *source;
    const struct patches *pending;
    struct filled *filled;
};

static void fill_one(void *context, size_t thread, size_t p)
{
    const struct filling *filling = context;
    const struct patch_source source = patch_source_of_thread(filling->source, thread);
    struct patch *patch = &filling->pending->patch[p];
    struct filled *out = &filling->filled[p];
    out->stands = patch_stands_for(&source, patch);
    out->covered = out->stands > 0;
    if (!out->covered)
        return;
    source.domain->place(source.context, patch, &filling->pending->root);
    out->covered = source.domain->covers(source.context, patch);
    if (!out->covered)
        return;
    out->moved = patch_fill(&source, patch);
    out->redo = patch_judge(&source, patch);
}

/* Takes what is good among the first `count` pending patches into the grid, in their order, and replaces the pending
 * ones by what has to be filled again. */
static enum status sort_filled(struct patch_source *source, size_t count, const struct filled *filled,
                               struct patches *pending, struct patches *grid, struct error *error)
{
    for (size_t p = 0; p < count; p++) {
        struct patch patch = pending->patch[p];
        if (!filled[p].covered)
            continue;
        if (!isfinite(patch.mass) || !isfinite(patch.value[0]))
            return fail_with(error, STATUS_NUMERIC, "the law of %s is not finite", source->sampler);
        if (source->most > 0 && grid->count + (pending->count - p - 1) > source->most)
            return fail_with(error, STATUS_NUMERIC,
                             "the law of %s is not resolved by %zu patches: the step bends its log-ratio too much",
                             source->sampler, source->most);
        if (filled[p].redo && must_split(&patch))
            TRY(split(&patch, pending, error));
        else if (filled[p].redo) {
            for (int i = 0; i < 2; i++)
                patch.nodes[i] = patch.next[i] > patch.nodes[i] ? patch.next[i] : patch.nodes[i];
            TRY(patches_append(pending, &patch, error));
        } else {
            source->distance += (double)filled[p].stands * filled[p].moved;
            TRY(patches_append(grid, &patch, error));
        }
    }
    pending->count -= count;
    memmove(pending->patch, pending->patch + count, pending->count * sizeof *pending->patch);
    return STATUS_OK;
}

enum status patches_fill(struct patch_source *source, struct patches *pending, struct patches *grid,
                         struct error *error)
{
    source->distance = 0.0;
    grid->count = 0;
    grid->factor = pending->factor;
    grid->root = pending->root;
    while (pending->count > 0) {
        size_t count = pending->count;
        struct filled *filled = array_new(count, sizeof *filled);
        if (filled == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for %zu patches", count);
        struct filling filling = {source, pending, filled};
        team_for(source->team, count, fill_one, &filling);
        enum status status = sort_filled(source, count, filled, pending, grid, error);
        free(filled);
        TRY(status);
    }
    patches_shrink(grid);
    return patches_index(grid, error);
}
