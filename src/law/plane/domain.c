#include "law/plane/domain.h"

#include <math.h>

#include "law/normal.h"
#include "law/plane/tuning.h"

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

bool patch_is_covered(const struct patch *patch, const struct joint_level *joint, double reach)
{
    const struct factor *factor = joint->factor;
    for (size_t k = 0; k < factor->components; k++)
        if (distance_to_segment(patch, factor, k, k) <= reach * width_of(joint, k))
            return true;
    for (size_t k = 0; k < factor->components; k++)
        for (size_t j = 0; j < k; j++) {
            double a = width_of(joint, j), b = width_of(joint, k), wider = fmax(a, b);
            double apart = hypot(patches_offset(factor, k, j, 0), patches_offset(factor, k, j, 1));
            if (apart <= reach * (a + b) + PLANE_GAP * wider
                && distance_to_segment(patch, factor, j, k) <= PLANE_CORRIDOR * fmin(a, b))
                return true;
        }
    return false;
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

double plane_root(const struct joint_level *joint, double reach)
{
    double farthest = 0.0;
    for (size_t k = 0; k < joint->factor->components; k++)
        for (int i = 0; i < 2; i++)
            farthest =
                fmax(farthest, fabs(patches_offset(joint->factor, k, 0, i)) + (reach + 1.0) * width_of(joint, k));
    return exp2(ceil(log2(farthest)));
}

static void place(const void *joint, struct patch *patch, double root)
{
    patch_place(patch, joint, root);
}

static double scale(const void *joint, const struct patch *patch)
{
    return patch_scale(patch, joint);
}

static bool covers(const void *joint, const struct patch *patch)
{
    return patch_is_covered(patch, joint, PLANE_REACH);
}

static double mass(const void *joint, const struct patch *patch)
{
    return patch_mass(patch, joint);
}

const struct patch_domain plane_domain = {.place = place, .scale = scale, .covers = covers, .mass = mass};

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
        if (!patch_is_covered(&patch, complement->joint, complement->reach) || patch.depth > PATCH_MOST_DEPTH)
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
