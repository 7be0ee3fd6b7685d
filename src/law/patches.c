#include "law/patches.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/vmath.h"
#include "law/plane/tuning.h"

enum { MOST_PATCHES = 200000, MOST_DEPTH = 60 };

void patches_free(struct patches *patches)
{
    free(patches->patch);
    free(patches->cell);
    *patches = (struct patches){0};
}

enum status patches_append(struct patches *patches, const struct patch *patch, struct error *error)
{
    struct patch *grown = patches->count < MOST_PATCHES
                              ? array_reserve(patches->patch, &patches->capacity, patches->count + 1, sizeof *grown)
                              : NULL;
    if (grown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for more than %zu patches of the plane",
                         patches->count);
    patches->patch = grown;
    patches->patch[patches->count++] = *patch;
    return STATUS_OK;
}

struct patch patch_quarter(const struct patch *patch, unsigned right, unsigned upper)
{
    struct patch quarter = *patch;
    quarter.depth++;
    quarter.at[0] = 2 * patch->at[0] + right;
    quarter.at[1] = 2 * patch->at[1] + upper;
    return quarter;
}

/* ---- Places ---- */

static double width_of(const struct joint_level *joint, size_t k)
{
    return joint->sd[k] / joint->root_alpha_bar;
}

/* From the mean of component k to the patch's centre. */
static double distance_to_centre(const struct patch *patch, const struct factor *factor, size_t k)
{
    double x = patch->centre[0] - patches_offset(factor, k, patch->anchor, 0);
    double y = patch->centre[1] - patches_offset(factor, k, patch->anchor, 1);
    return hypot(x, y);
}

static double scale_of(const struct patch *patch, const struct joint_level *joint, size_t k)
{
    double width = width_of(joint, k);
    /* of the patch's nearest point, about */
    double distance = distance_to_centre(patch, joint->factor, k) - patch->half;
    return width + PLANE_SCALE_SLOPE * fmax(distance - PLANE_SCALE_FLAT * width, 0.0);
}

double patch_scale(const struct patch *patch, const struct joint_level *joint)
{
    double smallest = HUGE_VAL;
    for (size_t k = 0; k < joint->factor->components; k++)
        smallest = fmin(smallest, scale_of(patch, joint, k));
    return smallest;
}

void patch_place(struct patch *patch, const struct joint_level *joint, double root)
{
    double side = ldexp(2.0 * root, -patch->depth), smallest = HUGE_VAL;
    size_t best = 0;
    patch->anchor = 0;
    patch->half = 0.5 * side;
    for (int i = 0; i < 2; i++)
        patch->centre[i] = side * ((double)patch->at[i] + 0.5) - root;
    for (size_t k = 0; k < joint->factor->components; k++) {
        double scale = scale_of(patch, joint, k);
        if (scale < smallest)
            best = k;
        smallest = fmin(smallest, scale);
    }
    for (int i = 0; i < 2; i++)
        patch->centre[i] -= patches_offset(joint->factor, best, 0, i);
    patch->anchor = best;
}

/* From the nearest point of the patch to the segment between two means (or to one, j = k). */
static double distance_to_segment(const struct patch *patch, const struct factor *factor, size_t j, size_t k)
{
    double at[2], along[2], length = 0.0, dot = 0.0;
    for (int i = 0; i < 2; i++) {
        at[i] = patch->centre[i] - patches_offset(factor, j, patch->anchor, i);
        along[i] = patches_offset(factor, k, j, i);
        length += along[i] * along[i];
        dot += along[i] * at[i];
    }
    double part = length > 0.0 ? fmin(fmax(dot / length, 0.0), 1.0) : 0.0;
    double x = fmax(fabs(at[0] - part * along[0]) - patch->half, 0.0);
    double y = fmax(fabs(at[1] - part * along[1]) - patch->half, 0.0);
    return hypot(x, y);
}

int patch_is_covered(const struct patch *patch, const struct joint_level *joint, double reach)
{
    const struct factor *factor = joint->factor;
    for (size_t k = 0; k < factor->components; k++)
        if (distance_to_segment(patch, factor, k, k) <= reach * width_of(joint, k))
            return 1;
    for (size_t k = 0; k < factor->components; k++)
        for (size_t j = 0; j < k; j++) {
            double a = width_of(joint, j), b = width_of(joint, k), wider = fmax(a, b);
            double apart = hypot(patches_offset(factor, k, j, 0), patches_offset(factor, k, j, 1));
            if (apart <= reach * (a + b) + PLANE_GAP * wider
                && distance_to_segment(patch, factor, j, k) <= PLANE_CORRIDOR * fmin(a, b))
                return 1;
        }
    return 0;
}

/* P(a < Z < b) without cancellation in the tails. */
static double normal_between(double a, double b)
{
    double from = a > 0.0 ? a : -b, to = a > 0.0 ? b : -a; /* by symmetry the tail, if it is one, is on the right */
    return from > 0.0 ? 0.5 * (erfc(from * M_SQRT1_2) - erfc(to * M_SQRT1_2))
                      : 0.5 * (erf(to * M_SQRT1_2) - erf(from * M_SQRT1_2));
}

double patch_mass(const struct patch *patch, const struct joint_level *joint)
{
    double mass = 0.0;
    for (size_t k = 0; k < joint->factor->components; k++) {
        double product = joint->factor->weight[k], width = width_of(joint, k);
        for (int i = 0; i < 2; i++) {
            double at = patch->centre[i] - patches_offset(joint->factor, k, patch->anchor, i);
            product *= normal_between((at - patch->half) / width, (at + patch->half) / width);
        }
        mass += product;
    }
    return mass;
}

enum status patches_cover(const struct joint_level *joint, double reach, double side, struct patches *out,
                          struct error *error)
{
    struct patches pending = {0};
    double farthest = 0.0;
    out->count = 0;
    out->factor = joint->factor;
    for (size_t k = 0; k < joint->factor->components; k++)
        for (int i = 0; i < 2; i++)
            farthest =
                fmax(farthest, fabs(patches_offset(joint->factor, k, 0, i)) + (reach + 1.0) * width_of(joint, k));
    out->root = exp2(ceil(log2(farthest)));
    const struct patch whole = {.depth = 0, .nodes = {8, 8}};
    enum status status;
    TRY_OR(done, patches_append(&pending, &whole, error));
    while (pending.count > 0) {
        struct patch patch = pending.patch[--pending.count];
        patch_place(&patch, joint, out->root);
        if (!patch_is_covered(&patch, joint, reach))
            continue;
        if (patch.depth >= 2 && 2.0 * patch.half <= side * patch_scale(&patch, joint)) {
            TRY_OR(done, patches_append(out, &patch, error));
            continue;
        }
        if (patch.depth == MOST_DEPTH)
            TRY_OR(done, fail_with(error, STATUS_NUMERIC, "the scales of a mixture in the plane are too far apart"));
        for (unsigned i = 0; i < 4; i++) {
            struct patch quarter = patch_quarter(&patch, i / 2, i % 2);
            TRY_OR(done, patches_append(&pending, &quarter, error));
        }
    }
done:
    patches_free(&pending);
    return status;
}

/* ---- The tree ---- */

static enum status add_cell(struct patches *patches, uint32_t *out, struct error *error)
{
    struct patches_cell *grown = patches->cells < UINT32_MAX ? array_reserve(patches->cell, &patches->cell_capacity,
                                                                             patches->cells + 1, sizeof *grown)
                                                             : NULL;
    if (grown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a tree of more than %zu cells", patches->cells);
    patches->cell = grown;
    patches->cell[patches->cells] = (struct patches_cell){.leaf = NO_LEAF};
    *out = (uint32_t)patches->cells++;
    return STATUS_OK;
}

enum status patches_index(struct patches *patches, struct error *error)
{
    uint32_t at;
    patches->cells = 0;
    TRY(add_cell(patches, &at, error));
    for (size_t p = 0; p < patches->count; p++) {
        const struct patch *patch = &patches->patch[p];
        at = 0;
        for (int bit = patch->depth - 1; bit >= 0; bit--) {
            uint64_t right = patch->at[0] >> bit & 1, upper = patch->at[1] >> bit & 1;
            uint32_t next = patches->cell[at].child[right][upper];
            if (next == 0) {
                TRY(add_cell(patches, &next, error));
                patches->cell[at].child[right][upper] = next;
            }
            at = next;
        }
        patches->cell[at].leaf = (uint32_t)p + 1;
    }
    return STATUS_OK;
}

struct complement {
    const struct patches *patches;
    const struct joint_level *joint;
    double reach, side;
    struct patches *out;
};

/* Squares for what is left out of the cell at this place of the tree; cell 0, but for the root: no cell. */
static enum status complement_cell(const struct complement *complement, uint32_t cell, struct patch patch,
                                   struct error *error)
{
    const struct patches_cell *cells = complement->patches->cell;
    int none = cell == 0 && patch.depth > 0;
    if (!none && cells[cell].leaf != NO_LEAF)
        return STATUS_OK;
    patch_place(&patch, complement->joint, complement->patches->root);
    if (none) {
        if (!patch_is_covered(&patch, complement->joint, complement->reach) || patch.depth > MOST_DEPTH)
            return STATUS_OK;
        if (2.0 * patch.half <= complement->side * patch_scale(&patch, complement->joint))
            return patches_append(complement->out, &patch, error);
    }
    for (unsigned right = 0; right < 2; right++)
        for (unsigned upper = 0; upper < 2; upper++)
            TRY(complement_cell(complement, none ? 0 : cells[cell].child[right][upper],
                                patch_quarter(&patch, right, upper), error));
    return STATUS_OK;
}

enum status patches_complement(const struct patches *patches, const struct joint_level *joint, double reach,
                               double side, struct patches *out, struct error *error)
{
    const struct complement complement = {patches, joint, reach, side, out};
    out->count = 0;
    out->factor = patches->factor;
    out->root = patches->root;
    return complement_cell(&complement, 0, (struct patch){.nodes = {PATCH_LEAST, PATCH_LEAST}}, error);
}

void patches_shrink(struct patches *patches)
{
    for (;;) {
        for (size_t p = 0; p < patches->count; p++) {
            const struct patch *patch = &patches->patch[p];
            if (patch->depth < 4)
                return;
            for (int i = 0; i < 2; i++) {
                uint64_t quarter = patch->at[i] >> (patch->depth - 2);
                if (quarter != 1 && quarter != 2)
                    return;
            }
        }
        if (patches->count == 0)
            return;
        for (size_t p = 0; p < patches->count; p++) {
            struct patch *patch = &patches->patch[p];
            for (int i = 0; i < 2; i++)
                patch->at[i] -= UINT64_C(1) << (patch->depth - 2);
            patch->depth--;
        }
        patches->root *= 0.5;
    }
}
