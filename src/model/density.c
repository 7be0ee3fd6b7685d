#include "model/density.h"

#include <math.h>
#include <string.h>

#include "core/legendre.h"
#include "core/memory.h"

/* Point masses stand for pieces from sqrt(O/A) = WIDE/V on, V the total variation of p_0: up to there the terms of
 * p_t' cancel to no less than about 1/WIDE of their sum. A piece is cut so that neither its slope times a part's
 * length is more than WIDE nor the length more than that sqrt(O/A); then the Gauss-Legendre rule of a part is exact
 * to rounding. */
#define WIDE 16.0
enum { PART_NODES = 16, CELLS = 512 };

/* Every evaluation at a wide level sums over all of them. */
#define MOST_POINT_MASSES 1e5

/* [standard deviations] Beyond, a normal law has 1e-19. */
#define REACH_OF_NORMAL 9.0

/* The logarithm of a density beyond which a tail is cut off in point masses. */
#define NEGLIGIBLE_TAIL 70.0

static enum status no_memory(struct error *error)
{
    return fail_with(error, STATUS_MEMORY, "out of memory for a density");
}

/* log of the integral of exp of a linear function over a piece: from the larger end, with length l and |slope| s,
 * (1 - exp(-s l))/s. */
static double log_mass(const struct density_piece *piece)
{
    double largest = fmax(piece->log_from, piece->log_to), length = piece->to - piece->from;
    double steep = fabs(piece->slope);
    double fall = steep * length;
    if (isinf(length))
        return largest - log(steep);
    return largest + (fall < 1e-8 ? log(length) - 0.5 * fall : log(-expm1(-fall) / steep));
}

static double value_at(const struct density_piece *piece, double x)
{
    return isinf(piece->from) ? piece->log_to - piece->slope * (piece->to - x)
                              : piece->log_from + piece->slope * (x - piece->from);
}

static enum status masses_new(size_t count, struct density *out, struct error *error)
{
    out->weight = count < SIZE_MAX / 3 ? array_new(3 * count, sizeof *out->weight) : NULL;
    if (out->weight == NULL)
        return no_memory(error);
    out->position = out->weight + count;
    out->zero = out->position + count;
    out->masses = count;
    return STATUS_OK;
}

/* The ends between which a piece has point masses. */
static void finite_ends(const struct density_piece *piece, double *from, double *to)
{
    double tail = NEGLIGIBLE_TAIL / fabs(piece->slope);
    *from = isinf(piece->from) ? piece->to - tail : piece->from;
    *to = isinf(piece->to) ? piece->from + tail : piece->to;
}

/* The rule of a piece: parts, and nodes of each; short pieces need few. */
struct piece_rule {
    double from, half; /* the first part's beginning, half a part's length */
    double parts;
    size_t nodes;
};

static struct piece_rule rule_of(const struct density_piece *piece, double narrow)
{
    struct piece_rule rule;
    double to;
    finite_ends(piece, &rule.from, &to);
    double length = (to - rule.from) * fmax(fabs(piece->slope) / WIDE, 1.0 / narrow);
    rule.parts = 1.0 + floor(length);
    rule.half = 0.5 * (to - rule.from) / rule.parts;
    rule.nodes = length < 0.01 ? 4 : length < 0.1 ? 8 : PART_NODES;
    return rule;
}

/* V: what p_0 rises and falls in all, jumps from and to 0 at its ends included. */
static double total_variation(size_t count, const struct density_piece *piece)
{
    double total = 0.0, left = 0.0;
    for (size_t j = 0; j < count; j++) {
        double from = exp(piece[j].log_from), to = exp(piece[j].log_to);
        total += fabs(from - left) + fabs(to - from);
        left = to;
    }
    return total + left;
}

enum status density_of_pieces(size_t count, const struct density_piece *piece, struct density *out,
                              struct error *error)
{
    double largest = -HUGE_VAL, mass = 0.0, below = 0.0, masses = 0.0, node[PART_NODES], weight[PART_NODES];
    *out = (struct density){.pieces = count, .highest = -HUGE_VAL};
    out->piece = array_new(count, sizeof *piece);
    if (out->piece == NULL)
        return no_memory(error);
    memcpy(out->piece, piece, count * sizeof *piece);
    for (size_t j = 0; j < count; j++)
        largest = fmax(largest, log_mass(&piece[j]));
    for (size_t j = 0; j < count; j++)
        mass += exp(log_mass(&piece[j]) - largest);
    if (!(isfinite(largest) && mass > 0.0 && isfinite(mass)))
        return fail_with(error, STATUS_INVALID, "the mass of a density is not finite");
    for (size_t j = 0; j < count; j++) {
        struct density_piece *here = &out->piece[j];
        here->log_from -= largest + log(mass);
        here->log_to -= largest + log(mass);
        out->highest = fmax(out->highest, fmax(here->log_from, here->log_to));
        here->below = below;
        below += exp(log_mass(here));
    }
    out->scale = 1.0 / total_variation(count, out->piece);
    out->narrow = WIDE * out->scale;
    for (size_t j = 0; j < count; j++) {
        struct piece_rule rule = rule_of(&out->piece[j], out->narrow);
        masses += rule.parts * (double)rule.nodes;
    }
    if (!(masses <= MOST_POINT_MASSES))
        return fail_with(error, STATUS_UNSUPPORTED,
                         "a density that varies within a length of %.2g takes %.2g point masses where the noise "
                         "is wide, and at most %g are summed over",
                         out->scale, masses, MOST_POINT_MASSES);
    TRY(masses_new((size_t)masses, out, error));
    size_t at = 0;
    for (size_t j = 0; j < count; j++) {
        struct piece_rule rule = rule_of(&out->piece[j], out->narrow);
        legendre_rule(rule.nodes, node, weight);
        for (double p = 0.0; p < rule.parts; p += 1.0)
            for (size_t i = 0; i < rule.nodes; i++) {
                double x = rule.from + rule.half * (2.0 * p + 1.0 + node[i]);
                out->position[at] = x;
                out->weight[at++] = rule.half * weight[i] * exp(value_at(&out->piece[j], x));
            }
    }
    return STATUS_OK;
}

/* The mass of [from, to] in w, up to the normaliser, within a cell. */
static double shape_mass(const struct density *density, double from, double to)
{
    double total = 0.0, half = 0.5 * (to - from);
    for (size_t i = 0; i < DENSITY_CELL_NODES; i++) {
        double value, slope, curvature;
        density->shape->evaluate(from + half * (1.0 + density->cell_node[i]), &value, &slope, &curvature);
        total += density->cell_weight[i] * exp(value);
    }
    return half * total;
}

enum status density_of_shape(const struct smooth_shape *shape, double place, double scale, struct density *out,
                             struct error *error)
{
    double range = shape->highest - shape->lowest, total = 0.0;
    /* the product with a Gaussian of standard deviation `narrow` has the sum of both bandwidths */
    double spacing = 1.0 / (1.0 / shape->spacing + 1.0 / (DENSITY_SPACING * shape->narrow));
    size_t count = (size_t)ceil(range / spacing) + 1;
    *out = (struct density){
        .shape = shape, .place = place, .scale = scale, .narrow = shape->narrow * scale, .cells = CELLS};
    legendre_rule(DENSITY_CELL_NODES, out->cell_node, out->cell_weight);
    TRY(masses_new(count, out, error));
    for (size_t i = 0; i < count; i++) {
        double w = shape->lowest + (double)i * spacing, value, slope, curvature;
        shape->evaluate(w, &value, &slope, &curvature);
        out->position[i] = place + scale * w;
        out->weight[i] = exp(value);
        total += out->weight[i];
    }
    for (size_t i = 0; i < count; i++)
        out->weight[i] /= total;
    out->log_normaliser = log(total * spacing);
    out->below = array_new(CELLS + 1, sizeof *out->below);
    if (out->below == NULL)
        return no_memory(error);
    for (size_t i = 0; i < CELLS; i++) {
        double cell = range / CELLS, from = shape->lowest + (double)i * cell;
        out->below[i + 1] = out->below[i] + shape_mass(out, from, from + cell) / (total * spacing);
    }
    return STATUS_OK;
}

enum status density_copy(const struct density *from, struct density *to, struct error *error)
{
    *to = *from;
    to->piece = NULL;
    to->weight = to->below = NULL;
    if (from->piece != NULL && (to->piece = array_new(from->pieces, sizeof *to->piece)) != NULL)
        memcpy(to->piece, from->piece, from->pieces * sizeof *to->piece);
    if (from->below != NULL && (to->below = array_new(from->cells + 1, sizeof *to->below)) != NULL)
        memcpy(to->below, from->below, (from->cells + 1) * sizeof *to->below);
    enum status status = masses_new(from->masses, to, error);
    if (status == STATUS_OK)
        memcpy(to->weight, from->weight, 2 * from->masses * sizeof *to->weight);
    if ((from->piece != NULL && to->piece == NULL) || (from->below != NULL && to->below == NULL))
        status = no_memory(error);
    if (status != STATUS_OK)
        density_free(to);
    return status;
}

void density_free(struct density *density)
{
    free(density->piece);
    free(density->weight);
    free(density->below);
    *density = (struct density){0};
}

bool density_equal(const struct density *a, const struct density *b)
{
    const double at[2][2] = {{a->place, a->scale}, {b->place, b->scale}};
    return a->shape == b->shape && memcmp(at[0], at[1], sizeof at[0]) == 0 && a->pieces == b->pieces
           && (a->pieces == 0 || memcmp(a->piece, b->piece, a->pieces * sizeof *a->piece) == 0);
}

/* Within a piece, from the end with the larger density: mass = p (1 - exp(-s distance))/s, which rounding must not
 * make that of an endless piece as a whole. */
static double piece_quantile(const struct density_piece *piece, double mass)
{
    double whole = exp(log_mass(piece)), s = fabs(piece->slope);
    bool falls = piece->slope <= 0.0;
    double part = falls ? mass : whole - mass, p = exp(falls ? piece->log_from : piece->log_to);
    double distance = s * part < 1e-17 * p ? part / p : -log1p(-fmin(s * part / p, 1.0 - 0x1p-53)) / s;
    double x = falls ? piece->from + distance : piece->to - distance;
    return fmin(fmax(x, piece->from), piece->to);
}

double density_quantile(const struct density *density, double u)
{
    const struct smooth_shape *shape = density->shape;
    if (shape == NULL) {
        size_t j = 0;
        while (j + 1 < density->pieces && u >= density->piece[j + 1].below)
            j++;
        return piece_quantile(&density->piece[j], u - density->piece[j].below);
    }
    double cell = (shape->highest - shape->lowest) / CELLS, unit = exp(density->log_normaliser);
    size_t low = 0, high = CELLS;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        *(density->below[middle] <= u ? &low : &high) = middle;
    }
    double from = shape->lowest + (double)low * cell, part = (u - density->below[low]) * unit;
    double left = 0.0, right = cell, distance = 0.5 * cell;
    for (int i = 0; i < 60 && right - left > 1e-15 * cell; i++) {
        double value, slope, curvature, beyond = shape_mass(density, from, from + distance) - part;
        shape->evaluate(from + distance, &value, &slope, &curvature);
        *(beyond > 0.0 ? &right : &left) = distance;
        double next = distance - beyond * exp(-value);
        next = next > left && next < right ? next : 0.5 * (left + right);
        if (fabs(next - distance) < 1e-15 * cell)
            break;
        distance = next;
    }
    return density->place + density->scale * (from + distance);
}

/* The mass below x, to 1e-13. */
static double mass_below(const struct density *density, double x)
{
    const struct smooth_shape *shape = density->shape;
    if (shape == NULL) {
        size_t j = 0;
        while (j + 1 < density->pieces && x >= density->piece[j].to)
            j++;
        struct density_piece part = density->piece[j];
        if (!(x > part.from))
            return part.below;
        if (x < part.to) {
            part.log_to = value_at(&part, x);
            part.to = x;
        }
        return part.below + exp(log_mass(&part));
    }
    double w = (x - density->place) / density->scale, cell = (shape->highest - shape->lowest) / CELLS;
    if (w <= shape->lowest || w >= shape->highest)
        return w <= shape->lowest ? 0.0 : 1.0;
    size_t k = (size_t)fmin((w - shape->lowest) / cell, CELLS - 1);
    double from = shape->lowest + (double)k * cell;
    return density->below[k] + shape_mass(density, from, w) * exp(-density->log_normaliser);
}

/* The mass of [from, from + width], all finite: where it is short, without the difference of two masses below. */
static double mass_between(const struct density *density, double from, double width)
{
    const struct smooth_shape *shape = density->shape;
    double total = 0.0;
    for (size_t j = 0; j < density->pieces; j++) {
        const struct density_piece *piece = &density->piece[j];
        double start = fmax(from, piece->from), end = fmin(from + width, piece->to);
        if (!(start < end))
            continue;
        struct density_piece part = {.to = start == from && end < piece->to ? width : end - start,
                                     .log_from = value_at(piece, start),
                                     .log_to = value_at(piece, end),
                                     .slope = piece->slope};
        total += exp(log_mass(&part));
    }
    if (shape == NULL)
        return total;
    double cell = (shape->highest - shape->lowest) / CELLS, length = width / density->scale;
    double w = (from - density->place) / density->scale;
    if (length > cell)
        return mass_below(density, from + width) - mass_below(density, from);
    return shape_mass(density, w, w + length) * exp(-density->log_normaliser);
}

/* The expectation over z of the mass below (x - sd z)/share, or in an interval of this width that begins there
 * (share > 0), between the places of kinks and jumps, where it is smooth. */
static double smoothed_mass(const struct density *density, double share, double sd, double x, double width)
{
    double total = 0.0, node[PART_NODES], weight[PART_NODES], scale = density->scale * fabs(share) / sd;
    double at = -REACH_OF_NORMAL;
    bool between = isfinite(width);
    legendre_rule(PART_NODES, node, weight);
    while (at < REACH_OF_NORMAL) {
        double end = fmin(at + fmin(1.0, scale), REACH_OF_NORMAL);
        for (size_t j = 0; j <= density->pieces && density->shape == NULL; j++) {
            double place = j < density->pieces ? density->piece[j].from : density->piece[j - 1].to;
            for (int side = 0; side <= (between ? 1 : 0); side++) {
                double z = (x + (side == 1 ? width : 0.0) - share * place) / sd;
                if (z > at && z < end)
                    end = z;
            }
        }
        double half = 0.5 * (end - at);
        for (size_t i = 0; i < PART_NODES; i++) {
            double z = at + half * (1.0 + node[i]), from = (x - sd * z) / share;
            double mass = between ? mass_between(density, from, width / share) : mass_below(density, from);
            total += half * weight[i] * exp(-0.5 * z * z) * (share > 0.0 ? mass : 1.0 - mass);
        }
        at = end;
    }
    return fmin(total / sqrt(2.0 * M_PI), 1.0);
}

/* Of the point masses where sd/|share| is wide. */
double density_smoothed_below(const struct density *density, double share, double sd, double x)
{
    if (sd > density->narrow * fabs(share)) {
        double below = 0.0;
        for (size_t i = 0; i < density->masses; i++)
            below += density->weight[i] * 0.5 * erfc((share * density->position[i] - x) / sd * M_SQRT1_2);
        return below;
    }
    return smoothed_mass(density, share, sd, x, HUGE_VAL);
}

double density_smoothed_between(const struct density *density, double share, double sd, double from, double width)
{
    return smoothed_mass(density, share, sd, from, width);
}

/* The integral of p_0(x) e^(i t x) over a piece. With its middle m, where p_0 is p, h half its length and
 * z = (slope + i t) h it is 2 h p e^(i t m) sinh(z)/z: where |z| < 1 by the power series, as the imaginary part of
 * sinh(z)/z is of order z^2 and its terms are not; elsewhere, e = e^(i t h), as
 * e^(i t m) (p_0(to) e - p_0(from)/e)/(slope + i t), which an endless piece has with its one end in the place of the
 * middle. */
static void add_piece(const struct density_piece *piece, double t, double *real, double *imaginary)
{
    enum { TERMS = 9 }; /* 1/(2 TERMS + 1)! is rounding */
    bool endless = isinf(piece->from) || isinf(piece->to);
    double from = exp(piece->log_from), to = exp(piece->log_to), length = endless ? 0.0 : piece->to - piece->from;
    double middle = isinf(piece->from) ? piece->to : isinf(piece->to) ? piece->from : piece->from + 0.5 * length;
    double s = piece->slope, size = s * s + t * t, h = 0.5 * length, a = 1.0, b = 0.0;
    if (!endless && size * h * h < 1.0) {
        double square = (s * s - t * t) * h * h, cross = 2.0 * s * t * h * h; /* z^2 */
        for (int k = TERMS; k > 0; k--) {
            double factor = 1.0 / (2 * k * (2 * k + 1)), rest = a;
            a = 1.0 + factor * (square * rest - cross * b);
            b = factor * (cross * rest + square * b);
        }
        double whole = length * exp(0.5 * (piece->log_from + piece->log_to));
        a *= whole;
        b *= whole;
    } else {
        double rise = endless ? to - from : s > 0.0 ? -to * expm1(-s * length) : from * expm1(s * length);
        double sum = from + to, cosine = cos(t * h), sine = sin(t * h);
        a = (rise * cosine * s + sum * sine * t) / size;
        b = (sum * sine * s - rise * cosine * t) / size;
    }
    *real += a * cos(t * middle) - b * sin(t * middle);
    *imaginary += a * sin(t * middle) + b * cos(t * middle);
}

/* Of a shape by the sum that integrates it. */
void density_characteristic(const struct density *density, double t, double *real, double *imaginary)
{
    *real = *imaginary = 0.0;
    for (size_t j = 0; j < density->pieces; j++)
        add_piece(&density->piece[j], t, real, imaginary);
    if (density->shape == NULL || fabs(t) * density->scale * density->shape->spacing > M_PI)
        return; /* of shapes there is less than rounding out there */
    for (size_t i = 0; i < density->masses; i++) {
        *real += density->weight[i] * cos(t * density->position[i]);
        *imaginary += density->weight[i] * sin(t * density->position[i]);
    }
}
