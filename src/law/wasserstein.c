/* Quantile coupling without cancellation. F_q - F_p = G is the integral of p (r - 1), from the left end up to the
 * median and from the right end beyond it, and y(x) - x is found from it alone: the integral of p from x to y is
 * G(x). The support is cut into intervals on which p and p (r - 1) are polynomials. The integral over x is cut at the
 * ends of the intervals and where y(x) is at one, so that the map is smooth on each piece, however fast it crosses a
 * valley between two modes. */
#include "law/wasserstein.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "core/legendre.h"
#include "core/memory.h"
#include "core/vmath.h"
#include "law/outside.h"

enum {
    DEGREES = 24,
    EXACT = DEGREES / 2,
    FEW = 5,
    MOST_BISECTIONS = 16,
    MOST_INTERVALS = 40000,
    MOST_ITERATIONS = 60
};

/* An interval resolves a density if the last Legendre coefficients are at most this part of the largest, or, for
 * p (r - 1), of the rounding errors of log r at most that part of those of p; or if it holds no more than that mass.
 */
#define RESOLVED 1e-11
#define ROUNDING 1e-14
#define NEGLIGIBLE_MASS 1e-18
/* And p changes by no more than this factor: over an interval of y on which F_p grows from m to R m, x -> y is like a
 * logarithm of mass, which EXACT nodes integrate to ((sqrt(R) - 1)/(sqrt(R) + 1))^(2 EXACT), 1e-8 of what it changes.
 */
#define MOST_CHANGE 7.4
/* Within this part of an interval FEW nodes integrate its polynomials. */
#define SHORT 0.05
/* W2 counts as known if its radius is at most this part of it, or at most this. */
#define MOST_RELATIVE_RADIUS 0.5
#define MOST_ABSOLUTE_RADIUS 1e-12
/* Relative accuracy of solved positions. */
#define ACCURACY 1e-13
/* Mass that has left the support, in relation to E_p|r - 1|, of which nothing says where it is. */
#define MOST_LOST 0.1

/* [0, 2 half] from its left end on, where p and p (r - 1) are sums of Legendre polynomials. */
struct interval {
    double left, half, gap; /* absolute position; distance of the right end to the next interval's left end */
    double p[DEGREES], excess[DEGREES];
    double below[DEGREES]; /* the integral of the latter from the left end, in units of half */
    double mass_p, mass_excess;
    double G[2]; /* F_q - F_p at both ends */
};

struct coupling {
    const struct law *law;
    struct interval *interval;
    size_t count, capacity;
    bool unresolved; /* the intervals are not enough */
    double node[DEGREES], weight[DEGREES];
    double node_exact[EXACT], weight_exact[EXACT], node_few[FEW], weight_few[FEW];
    double error_l2; /* of the law */
};

/* A position: an interval and the distance from its left end. */
struct position {
    size_t at;
    double offset;
};

/* At so many places at a time, for each term of a sum waits for the one before. */
enum { POINTS = 16 };
_Static_assert((int)EXACT < (int)POINTS, "the nodes, and the end");

VECTOR_CLONES static void legendre_sums(const double *coefficient, const double *u, double *out)
{
    double next[POINTS] = {0.0}, after[POINTS] = {0.0};
    for (size_t n = DEGREES; n-- > 1;) {
        const double k = (double)n, first = (2.0 * k + 1.0) / (k + 1.0), second = (k + 1.0) / (k + 2.0);
        for (size_t i = 0; i < POINTS; i++) {
            double value = (coefficient[n] - second * after[i]) + first * u[i] * next[i];
            after[i] = next[i];
            next[i] = value;
        }
    }
    for (size_t i = 0; i < POINTS; i++)
        out[i] = coefficient[0] + u[i] * next[i] - 0.5 * after[i];
}

static double legendre_sum(const double *coefficient, double u)
{
    double next = 0.0, after = 0.0;
    for (size_t n = DEGREES; n-- > 1;) {
        double k = (double)n,
               value = (coefficient[n] - (k + 1.0) / (k + 2.0) * after) + (2.0 * k + 1.0) / (k + 1.0) * u * next;
        after = next;
        next = value;
    }
    return coefficient[0] + u * next - 0.5 * after;
}

/* Of the integral from -1 on: that of P_n is (P_{n+1} - P_{n-1})/(2n + 1), which is 0 at -1 for n > 0. The highest
 * coefficient, which is rounding, is left out. */
static void integrate_series(const double *coefficient, double *integral)
{
    integral[0] = coefficient[0];
    for (size_t n = 1; n < DEGREES; n++)
        integral[n] = 0.0;
    integral[1] += coefficient[0];
    for (size_t n = 1; n + 1 < DEGREES; n++) {
        double part = coefficient[n] / (2.0 * (double)n + 1.0);
        integral[n + 1] += part;
        integral[n - 1] -= part;
    }
}

/* Densities that are integrated. */
enum integrated { OF_P, OF_Q };

static double density_at(const struct interval *interval, enum integrated density, double offset)
{
    double u = offset / interval->half - 1.0, p = legendre_sum(interval->p, u);
    return fmax(density == OF_P ? p : p + legendre_sum(interval->excess, u), 0.0);
}

/* From one offset to another, and the density there. */
static double integral(const struct coupling *coupling, const struct interval *interval, enum integrated density,
                       double from, double to, double *at_end)
{
    bool is_short = fabs(to - from) < SHORT * interval->half;
    size_t n = is_short ? FEW : EXACT;
    const double *node = is_short ? coupling->node_few : coupling->node_exact;
    const double *weight = is_short ? coupling->weight_few : coupling->weight_exact;
    double half = 0.5 * (to - from), sum = 0.0, u[POINTS] = {0.0}, p[POINTS], excess[POINTS] = {0.0};
    for (size_t i = 0; i <= n; i++)
        u[i] = (i < n ? from + half * (1.0 + node[i]) : to) / interval->half - 1.0;
    legendre_sums(interval->p, u, p);
    if (density == OF_Q)
        legendre_sums(interval->excess, u, excess);
    for (size_t i = 0; i < n; i++)
        sum += weight[i] * fmax(p[i] + excess[i], 0.0);
    *at_end = fmax(p[n] + excess[n], 0.0);
    return half * sum;
}

/* ---- Intervals ---- */

static void expand(const struct coupling *coupling, const double *value, double *coefficient)
{
    for (size_t n = 0; n < DEGREES; n++)
        coefficient[n] = 0.0;
    for (size_t i = 0; i < DEGREES; i++) {
        double x = coupling->node[i], before = 0.0, polynomial = 1.0;
        for (size_t n = 0; n < DEGREES; n++) {
            double k = (double)n;
            coefficient[n] += (k + 0.5) * coupling->weight[i] * value[i] * polynomial;
            double next = ((2.0 * k + 1.0) * x * polynomial - k * before) / (k + 1.0);
            before = polynomial;
            polynomial = next;
        }
    }
}

static double largest_of(const double *coefficient, size_t from)
{
    double largest = 0.0;
    for (size_t n = from; n < DEGREES; n++)
        largest = fmax(largest, fabs(coefficient[n]));
    return largest;
}

/* log r carries rounding errors, and so does p (r - 1) in relation to p. */
static bool is_resolved(const struct interval *interval, const double *density)
{
    double p = largest_of(interval->p, 0), excess = largest_of(interval->excess, 0), least = density[0], most = least;
    for (size_t i = 1; i < DEGREES; i++) {
        least = fmin(least, density[i]);
        most = fmax(most, density[i]);
    }
    return fmax(p, excess) * interval->half <= NEGLIGIBLE_MASS
           || (most <= MOST_CHANGE * least && largest_of(interval->p, DEGREES - 2) <= RESOLVED * p
               && largest_of(interval->excess, DEGREES - 2) <= fmax(RESOLVED * excess, ROUNDING * p));
}

static double position_of(const struct law *law, const struct panel *panel)
{
    if (law->density != NULL)
        return panel->centre;
    return law->target.root_alpha_bar * law->target.factor->mean[panel->anchor] + panel->centre;
}

/* Appends [from, to] of a panel, bisected until both densities are resolved, or down to the jumps of a clip. */
static enum status append(struct coupling *coupling, const struct panel *panel, double from, double to, int depth,
                          struct error *error)
{
    double x[DEGREES], p[DEGREES], log_ratio[DEGREES], excess[DEGREES], half = 0.5 * (to - from);
    for (size_t i = 0; i < DEGREES; i++)
        x[i] = from + half * (1.0 + coupling->node[i]);
    law_log_density(coupling->law, panel, DEGREES, x, p);
    panel_evaluate(panel, 0.0, DEGREES, x, log_ratio);
    for (size_t i = 0; i < DEGREES; i++) {
        p[i] = exp(p[i]);
        excess[i] = p[i] * expm1(log_ratio[i]);
    }
    struct interval new = {.left = position_of(coupling->law, panel) - panel->centre + from, .half = half};
    expand(coupling, p, new.p);
    expand(coupling, excess, new.excess);
    integrate_series(new.excess, new.below);
    coupling->unresolved |= coupling->count >= MOST_INTERVALS;
    if (depth > 0 && !coupling->unresolved && !is_resolved(&new, p)) {
        double middle = 0.5 * (from + to);
        TRY(append(coupling, panel, from, middle, depth - 1, error));
        return append(coupling, panel, middle, to, depth - 1, error);
    }
    new.mass_p = 2.0 * half *new.p[0];
    new.mass_excess = 2.0 * half *new.excess[0];
    struct interval *grown =
        array_reserve(coupling->interval, &coupling->capacity, coupling->count + 1, sizeof *grown);
    if (grown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu intervals of a law", coupling->count + 1);
    coupling->interval = grown;
    grown[coupling->count++] = new;
    return STATUS_OK;
}

/* G at the ends: from the end of the support that is nearer in mass. */
static void accumulate(struct coupling *coupling)
{
    double left = 0.0, right = 0.0, below = 0.0, above = 0.0;
    for (size_t i = 0; i < coupling->count; i++) {
        struct interval *interval = &coupling->interval[i];
        below += interval->mass_p;
        interval->G[0] = left;
        left += interval->mass_excess;
        interval->G[1] = left;
    }
    for (size_t i = coupling->count; i-- > 0;) {
        struct interval *interval = &coupling->interval[i];
        if (above < 0.5 * below)
            interval->G[1] = -right;
        above += interval->mass_p;
        right += interval->mass_excess;
        if (above < 0.5 * below)
            interval->G[0] = -right;
    }
}

static enum status coupling_init(struct coupling *coupling, const struct law *law, struct error *error)
{
    *coupling = (struct coupling){.law = law, .error_l2 = law->error_l2};
    legendre_rule(DEGREES, coupling->node, coupling->weight);
    legendre_rule(EXACT, coupling->node_exact, coupling->weight_exact);
    legendre_rule(FEW, coupling->node_few, coupling->weight_few);
    const struct panels *panels = &law->log_ratio;
    for (size_t p = 0; p < panels->count; p++) {
        const struct panel *panel = &panels->panel[p];
        if (coupling->count > 0 && panels_at_end(panels, p, 0)) {
            struct interval *before = &coupling->interval[coupling->count - 1];
            before->gap = position_of(law, panel) - panel->half_width - before->left - 2.0 * before->half;
        }
        TRY(append(coupling, panel, panel->centre - panel->half_width, panel->centre + panel->half_width,
                   MOST_BISECTIONS, error));
    }
    accumulate(coupling);
    return STATUS_OK;
}

/* ---- The map ---- */

/* Solves: the integral of the density from `offset` in the direction `side` over the distance that is returned is
 * `mass` > 0, at most `length` away. */
static double solve(const struct coupling *coupling, const struct interval *interval, enum integrated density,
                    double offset, double side, double mass, double length)
{
    double low = 0.0, high = length, slope = density_at(interval, density, offset);
    double distance = slope * length > mass ? mass / slope : 0.5 * length;
    for (int i = 0; i < MOST_ITERATIONS; i++) {
        double reached =
            side * integral(coupling, interval, density, offset, offset + side * distance, &slope) - mass;
        *(reached > 0.0 ? &high : &low) = distance;
        double next = distance - reached / slope;
        if (!(next > low && next < high))
            next = 0.5 * (low + high);
        double moved = fabs(next - distance);
        distance = next;
        if (moved <= ACCURACY * distance || high - low <= ACCURACY * high)
            break;
    }
    return distance;
}

/* Goes from a position as far as the density's mass is `mass` (to the left where that is negative), and returns the
 * signed distance; at most to the end of the support. *to is the position that is reached. */
static double march(const struct coupling *coupling, enum integrated density, struct position from, double mass,
                    struct position *to)
{
    double side = mass < 0.0 ? -1.0 : 1.0, left = fabs(mass), distance = 0.0;
    *to = from;
    while (left > 0.0) {
        const struct interval *interval = &coupling->interval[to->at];
        double length = side > 0.0 ? 2.0 * interval->half - to->offset : to->offset, at_end;
        /* over a short way the density changes little, and what is wanted is surely there */
        bool is_near = left < SHORT * length * density_at(interval, density, to->offset);
        double here =
            is_near ? HUGE_VAL
            : length >= 2.0 * interval->half
                ? interval->mass_p + (density == OF_Q ? interval->mass_excess : 0.0)
                : side * integral(coupling, interval, density, to->offset, to->offset + side * length, &at_end);
        if (left < here) {
            double inside = solve(coupling, interval, density, to->offset, side, left, length);
            to->offset += side * inside;
            return side * (distance + inside);
        }
        distance += length;
        if (to->at == (side > 0.0 ? coupling->count - 1 : 0)) {
            to->offset = side > 0.0 ? 2.0 * interval->half : 0.0;
            break;
        }
        to->at = side > 0.0 ? to->at + 1 : to->at - 1;
        const struct interval *next = &coupling->interval[to->at];
        distance += side > 0.0 ? interval->gap : next->gap;
        to->offset = side > 0.0 ? 0.0 : 2.0 * next->half;
        left -= here;
    }
    return side * distance;
}

/* F_q - F_p at a position. */
static double excess_below(const struct coupling *coupling, struct position x)
{
    const struct interval *interval = &coupling->interval[x.at];
    double below = interval->half * legendre_sum(interval->below, x.offset / interval->half - 1.0);
    return fabs(interval->G[0]) <= fabs(interval->G[1]) ? interval->G[0] + below
                                                        : interval->G[1] - (interval->mass_excess - below);
}

/* ---- The integral ---- */

/* W2^2, and what it may be where the law's error moves mass across x: |F_q - F_p| is off by at most
 * |integral of p (r - r_true)| <= error_l2 sqrt(min(F_q, 1 - F_q)), by Cauchy and Schwarz from either side. */
struct totals {
    double value, low, high;
    double fourth; /* E_q (x - y)^4 */
};

static void add_piece(const struct coupling *coupling, size_t at, double from, double to, const double below[2],
                      double defect, struct totals *totals)
{
    const struct interval *interval = &coupling->interval[at];
    double half = 0.5 * (to - from);
    for (size_t i = 0; i < EXACT; i++) { /* however short: y may go through a whole interval */
        struct position x = {at, from + half * (1.0 + coupling->node_exact[i])}, y;
        double weight = half * coupling->weight_exact[i] * density_at(interval, OF_Q, x.offset);
        if (!(weight > 0.0))
            continue;
        double G = excess_below(coupling, x), side = G < 0.0 ? -1.0 : 1.0;
        double mass = fmax(fmin(below[0] + x.offset / (2.0 * interval->half) * (below[1] - below[0]), 1.0), 0.0);
        double error = coupling->error_l2 * sqrt(fmin(mass, 1.0 - mass)) + fabs(defect);
        double distance = march(coupling, OF_P, x, G, &y);
        double most, least, slope = density_at(&coupling->interval[y.at], OF_P, y.offset);
        if (error < SHORT * SHORT * coupling->interval[y.at].half * slope) {
            most = fabs(distance) + error / slope;
            least = fmax(fabs(distance) - error / slope, 0.0);
        } else {
            most = march(coupling, OF_P, x, side * (fabs(G) + error), &y);
            least = march(coupling, OF_P, x, side * fmax(fabs(G) - error, 0.0), &y);
        }
        totals->value += weight * distance * distance;
        totals->high += weight * most * most;
        totals->low += weight * least * least;
        totals->fourth += weight * distance * distance * distance * distance;
    }
}

static int by_offset(const void *a, const void *b)
{
    double x = ((const struct position *)a)->offset, y = ((const struct position *)b)->offset;
    size_t i = ((const struct position *)a)->at, j = ((const struct position *)b)->at;
    return i != j ? (i > j) - (i < j) : (x > y) - (x < y);
}

/* Where y(x) is at an end of an interval: F_q(x) - F_q(end) = -G(end). */
static enum status find_bends(const struct coupling *coupling, struct position **out, struct error *error)
{
    struct position *bend = array_new(coupling->count, sizeof *bend);
    *out = bend;
    if (bend == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu intervals of a law", coupling->count);
    for (size_t i = 0; i < coupling->count; i++)
        (void)march(coupling, OF_Q, (struct position){i, 0.0}, -coupling->interval[i].G[0], &bend[i]);
    qsort(bend, coupling->count, sizeof *bend, by_offset);
    return STATUS_OK;
}

static enum status integrate(const struct coupling *coupling, double defect, struct totals *totals,
                             struct error *error)
{
    struct position *bend;
    double below = 0.0;
    TRY(find_bends(coupling, &bend, error));
    for (size_t i = 0, next = 0; i < coupling->count; i++) {
        const struct interval *interval = &coupling->interval[i];
        double masses[2] = {below, below + interval->mass_p + interval->mass_excess}, from = 0.0;
        for (; next < coupling->count && bend[next].at == i; next++) {
            if (bend[next].offset > from)
                add_piece(coupling, i, from, bend[next].offset, masses, defect, totals);
            from = fmax(from, bend[next].offset);
        }
        if (2.0 * interval->half > from)
            add_piece(coupling, i, from, 2.0 * interval->half, masses, defect, totals);
        below = masses[1];
    }
    free(bend);
    return STATUS_OK;
}

static struct measured squared_of_normal(const struct law *law)
{
    double sd = law->target.sd[0];
    const struct normal *q = &law->normal;
    double wider = expm1(0.5 * q->log_variance), moved = q->shift;
    double wider_error = exp(0.5 * q->log_variance) * expm1(0.5 * q->log_variance_error),
           moved_error = q->shift_error;
    return (struct measured){
        sd * sd * (wider * wider + moved * moved),
        sd * sd
            * ((2.0 * fabs(wider) + wider_error) * wider_error + (2.0 * fabs(moved) + moved_error) * moved_error)};
}

/* The length of the support, in the target's coordinates. */
static double width_of(const struct law *law)
{
    if (law->log_ratio.count == 0)
        return 0.0;
    const struct panel *first = law->log_ratio.panel, *last = first + law->log_ratio.count - 1;
    return position_of(law, last) + last->half_width - position_of(law, first) + first->half_width;
}

static const struct measured not_known = {NAN, NAN};

enum status w2_squared(const struct law *law, struct measured *out, struct error *error)
{
    struct coupling coupling;
    struct totals totals = {.value = 0.0};
    *out = not_known;
    if (law->is_normal) {
        *out = squared_of_normal(law);
        return STATUS_OK;
    }
    if (law->lines || law->base.count > 0 || law->log_ratio.count == 0)
        return STATUS_OK;
    enum status status = coupling_init(&coupling, law, error);
    double distance = 0.0;
    for (size_t i = 0; i < coupling.count && status == STATUS_OK; i++)
        distance += fabs(coupling.interval[i].mass_excess);
    bool unknown = fabs(law->mass_defect) > MOST_LOST * distance + law->error_l1;
    unknown |= coupling.unresolved;
    if (status == STATUS_OK && !unknown)
        status = integrate(&coupling, law->mass_defect, &totals, error);
    if (status == STATUS_OK && !unknown && isfinite(totals.value)) {
        /* where the map is as it is, q may be off by error_l2 too */
        double density = law->error_l2 * sqrt(totals.fourth);
        /* q's mass beyond the support is taken to lie within another length of it */
        double beyond = law_outside(law).mass * width_of(law) * width_of(law);
        double radius = fmax(totals.high - totals.value, totals.value - totals.low) + density + beyond
                        + 64.0 * DBL_EPSILON * totals.value;
        if (isfinite(radius))
            *out = (struct measured){totals.value, radius};
    }
    free(coupling.interval);
    return status;
}

struct measured w2_of_sum(const struct law_group *groups, size_t count, double clip_probability)
{
    double value = 0.0, radius = 0.0, widths = 0.0;
    for (size_t i = 0; i < count; i++) {
        double n = groups[i].multiplicity, width = width_of(groups[i].law);
        value += n * groups[i].law->w2_squared.value;
        radius += n * groups[i].law->w2_squared.error;
        widths += n * width * width;
    }
    radius += clip_probability * widths;
    double root = sqrt(value), low = sqrt(fmax(value - radius, 0.0)),
           error = fmax(sqrt(value + radius) - root, root - low);
    error += 4.0 * DBL_EPSILON * root;
    return isfinite(value) && error <= fmax(MOST_RELATIVE_RADIUS * root, MOST_ABSOLUTE_RADIUS)
               ? (struct measured){root, error}
               : not_known;
}
