#include "law/panels.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "core/vmath.h"

enum status panels_reserve(struct panels *panels, size_t count, struct error *error)
{
    struct panel *grown = array_reserve(panels->panel, &panels->capacity, count, sizeof *grown);
    if (grown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for more than %zu panels", panels->capacity);
    panels->panel = grown;
    return STATUS_OK;
}

enum status panels_copy(const struct panels *panels, struct panels *out, struct error *error)
{
    TRY(panels_reserve(out, panels->count, error));
    if (panels->count > 0)
        memcpy(out->panel, panels->panel, panels->count * sizeof *panels->panel);
    out->count = panels->count;
    return STATUS_OK;
}

void panels_free(struct panels *panels)
{
    free(panels->panel);
    *panels = (struct panels){0};
}

static int joined(const struct panel *left, const struct panel *right)
{
    return left->edge_anchor[1] == right->edge_anchor[0] && left->edge[1] == right->edge[0];
}

int panels_at_end(const struct panels *panels, size_t p, int side)
{
    const struct panel *panel = &panels->panel[p];
    if (side == 0)
        return p == 0 || !joined(panel - 1, panel);
    return p + 1 == panels->count || !joined(panel, panel + 1);
}

/* The ends are nodes: where a deterministic map moves the function by less than the distance between an end and the
 * next node, or one layout lies that close to the one before, a panel must still learn from its neighbour what flows
 * in. */
void chebyshev_init(struct chebyshev *chebyshev)
{
    enum { LAST = PANEL_NODES - 1 };
    double before[PANEL_NODES] = {0.0}, polynomial[PANEL_NODES] = {1.0}; /* T_{k-1} and T_k in powers */
    *chebyshev = (struct chebyshev){.node = {0.0}};
    for (int j = 0; j < HALF_NODES; j++) {
        double angle = M_PI * j / LAST;
        chebyshev->node[j] = -cos(angle);
        chebyshev->node[LAST - j] = -chebyshev->node[j];
        for (int k = 0; k <= LAST; k++) {
            double end = (j == 0 ? 0.5 : 1.0) * (k == 0 || k == LAST ? 1.0 : 2.0) / LAST;
            chebyshev->transform[k % 2][j][k / 2] = end * cos(k * angle);
        }
    }
    for (int k = 0; k <= LAST; k++) {
        double next[PANEL_NODES];
        for (int m = 0; m <= LAST; m++) {
            if ((k - m) % 2 == 0)
                chebyshev->powers[k % 2][k / 2][m / 2] = polynomial[m];
            next[m] = (k == 0 ? 1.0 : 2.0) * (m > 0 ? polynomial[m - 1] : 0.0) - before[m];
        }
        memcpy(before, polynomial, sizeof before);
        memcpy(polynomial, next, sizeof polynomial);
    }
    /* the integral of T_k is 2/(1 - k^2) for even k */
    for (int j = 0; j < PANEL_NODES; j++)
        for (int k = 0; k < HALF_NODES; k++)
            chebyshev->weight[j] +=
                chebyshev->transform[0][j < HALF_NODES ? j : LAST - j][k] * 2.0 / (1.0 - 4.0 * k * k);
}

/* Four numbers at a time; what the compiler makes of loops this short is several times slower. */
typedef double quad __attribute__((vector_size(4 * sizeof(double)), aligned(sizeof(double)), may_alias));
enum { QUADS = HALF_NODES / 4 };
_Static_assert(HALF_NODES % 4 == 0, "whole quads");

/* out[odd][i] = sum_j matrix[odd][j][i] x[odd][j] */
static inline void multiply(const double (*matrix)[HALF_NODES][HALF_NODES], double (*x)[HALF_NODES],
                            double (*out)[HALF_NODES])
{
    quad total[2][QUADS] = {{{0.0}}};
    for (int j = 0; j < HALF_NODES; j++)
        for (int odd = 0; odd < 2; odd++)
            for (int i = 0; i < QUADS; i++)
                total[odd][i] += ((const quad *)matrix[odd][j])[i] * x[odd][j];
    for (int odd = 0; odd < 2; odd++)
        for (int i = 0; i < QUADS; i++)
            ((quad *)out[odd])[i] = total[odd][i];
}

VECTOR_CLONES void panel_nodes(const struct chebyshev *chebyshev, const struct panel *panel, double *x)
{
    double centre = panel->centre, half = panel->half_width;
    for (int j = 0; j < PANEL_NODES; j++)
        x[j] = centre + half * chebyshev->node[j];
}

VECTOR_CLONES void panel_fit(const struct chebyshev *chebyshev, const double *values, struct panel *panel)
{
    double pair[2][HALF_NODES], degree[2][HALF_NODES], power[2][HALF_NODES];
    for (int j = 0; j < HALF_NODES; j++) {
        double left = values[j], right = values[PANEL_NODES - 1 - j];
        pair[0][j] = right + left;
        pair[1][j] = right - left;
    }
    multiply(chebyshev->transform, pair, degree);
    multiply(chebyshev->powers, degree, power);
    for (int i = 0; i < HALF_NODES; i++) {
        panel->coefficient[2 * i] = power[0][i];
        panel->coefficient[2 * i + 1] = power[1][i];
    }
}

/* A panel's polynomial at x, or at the end that is nearer to x. Terms are summed in pairs, pairs of pairs and so on:
 * the shorter the chain of operations that wait for one another, the more points are under way at a time. */
struct segment {
    const double *coefficient;
    double centre, inverse, from, to;
};

static inline struct segment segment_of(const struct panel *panel, double shift)
{
    double centre = panel->centre + shift;
    return (struct segment){panel->coefficient, centre, 1.0 / panel->half_width, centre - panel->half_width,
                            centre + panel->half_width};
}

static inline double evaluate_at(const struct segment *segment, double x)
{
    const double *c = segment->coefficient;
    double raised = x < segment->from ? segment->from : x, inside = raised > segment->to ? segment->to : raised;
    double u = (inside - segment->centre) * segment->inverse, square = u * u, fourth = square * square;
    double part[PANEL_NODES / 4];
    for (int k = 0; k < PANEL_NODES / 4; k++) {
        double low = c[4 * k + 1] * u + c[4 * k], high = c[4 * k + 3] * u + c[4 * k + 2];
        part[k] = high * square + low;
    }
    double low = part[1] * fourth + part[0], high = part[3] * fourth + part[2];
    return high * (fourth * fourth) + low;
}
_Static_assert(PANEL_NODES == 16, "four parts of four terms");

VECTOR_CLONES void panel_evaluate(const struct panel *panel, double shift, size_t n, const double *x, double *out)
{
    struct segment segment = segment_of(panel, shift);
    for (size_t i = 0; i < n; i++)
        out[i] = evaluate_at(&segment, x[i]);
}

enum { LANES = 4, ROWS = 64 };

/* The same at four points inside the panel. */
static inline void evaluate_inside(const struct segment *segment, const double *x, double *out)
{
    const double *c = segment->coefficient;
    quad u = (*(const quad *)x - segment->centre) * segment->inverse, square = u * u, fourth = square * square;
    quad part[PANEL_NODES / 4];
    for (int k = 0; k < PANEL_NODES / 4; k++)
        part[k] = (c[4 * k + 3] * u + c[4 * k + 2]) * square + (c[4 * k + 1] * u + c[4 * k]);
    quad low = part[1] * fourth + part[0], high = part[3] * fourth + part[2];
    *(quad *)out = high * (fourth * fourth) + low;
}

/* Evaluates the polynomial at ascending points from `start` on up to `end`, of n; returns the index of the first
 * beyond. Whole vectors, the last of which may share points with the one before. */
static inline size_t evaluate_part(const struct segment *segment, double end, size_t start, size_t n, const double *x,
                                   double *out)
{
    size_t stop = start;
    while (stop + LANES <= n && x[stop + LANES - 1] <= end)
        stop += LANES;
    while (stop < n && !(x[stop] > end))
        stop++;
    bool inside = stop > start && x[start] >= segment->from && x[stop - 1] <= segment->to;
    if (stop - start < LANES || !inside) {
        for (size_t i = start; i < stop; i++)
            out[i] = evaluate_at(segment, x[i]);
        return stop;
    }
    for (size_t i = start; i < stop; i += LANES) {
        size_t at = i + LANES <= stop ? i : stop - LANES;
        evaluate_inside(segment, x + at, out + at);
    }
    return stop;
}

/* Up to ROWS rows, each of which begins where the one before does or further right: panel by panel, so that what a
 * panel costs at all is spent once. */
VECTOR_CLONES static void evaluate_rows(const struct panels *panels, const struct mixture_level *mixture,
                                        size_t anchor, size_t rows, size_t n, const double *x, double *out,
                                        size_t *hint)
{
    const struct panel *panel = panels->panel;
    size_t at = *hint < panels->count ? *hint : 0, left = rows, place[ROWS];
    double shift = mixture_level_centre(mixture, panel[at].anchor, anchor);
    while (at > 0 && x[0] < panel[at].centre + shift - panel[at].half_width)
        shift = mixture_level_centre(mixture, panel[--at].anchor, anchor);
    while (at + 1 < panels->count && x[0] > panel[at].centre + shift + panel[at].half_width)
        shift = mixture_level_centre(mixture, panel[++at].anchor, anchor);
    *hint = at;
    for (size_t r = 0; r < rows; r++)
        place[r] = 0;
    for (; left > 0; at++) {
        struct segment segment = segment_of(&panel[at], mixture_level_centre(mixture, panel[at].anchor, anchor));
        double end = at + 1 < panels->count ? segment.to : HUGE_VAL;
        for (size_t r = 0; r < rows; r++) {
            if (place[r] == n || x[r * n + place[r]] > end)
                continue;
            place[r] = evaluate_part(&segment, end, place[r], n, x + r * n, out + r * n);
            left -= place[r] == n;
        }
    }
}

void panels_evaluate_rows(const struct panels *panels, const struct mixture_level *mixture, size_t anchor,
                          size_t rows, size_t n, const double *x, double *out, size_t *hint)
{
    size_t at = *hint;
    for (size_t r = 0; r < rows && n > 0; r += ROWS) {
        size_t some = rows - r < ROWS ? rows - r : ROWS;
        evaluate_rows(panels, mixture, anchor, some, n, x + r * n, out + r * n, &at);
        *hint = r == 0 ? at : *hint;
    }
}

void panels_evaluate(const struct panels *panels, const struct mixture_level *mixture, size_t anchor, size_t n,
                     const double *x, double *out, size_t *hint)
{
    panels_evaluate_rows(panels, mixture, anchor, 1, n, x, out, hint);
}
