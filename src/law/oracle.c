#include "law/oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/sorted.h"

static double shift_at(const struct oracle *oracle, const struct mixture_level *mixture)
{
    return mixture->root_alpha_bar * mixture->factor->mean[oracle->anchor];
}

static void append_regions(uint64_t *regions, const struct oracle *oracle, int level, double x)
{
    const struct error_level *error = &oracle->error[level];
    double absolute = x + shift_at(oracle, oracle->density[level]);
    for (size_t e = 0; e < error->edges; e++)
        *regions = *regions << 1 | (absolute >= error->edge[e]);
}

/* Original coordinates at a level, relative to the anchor there. */
static const double *make_relative(const struct oracle *oracle, const struct mixture_level *mixture, size_t n,
                                   const double *x)
{
    double *relative = oracle->work + 2 * oracle->batch, shift = shift_at(oracle, mixture);
    for (size_t i = 0; i < n; i++)
        relative[i] = x[i] - shift;
    return relative;
}

void oracle_apply(const struct oracle *oracle, sampler_map *map, const struct step *step, size_t n, const double *x,
                  double *out, double *work)
{
    if (!oracle->original) {
        map(step, &oracle->base, n, x, out, work);
        return;
    }
    struct oracle original = *oracle;
    double *place = oracle->work + n, shift = shift_at(oracle, oracle->density[0]);
    original.batch = n;
    original.known_x = NULL;
    for (size_t i = 0; i < n; i++)
        place[i] = x[i] + shift;
    map(step, &original.base, n, place, out, work);
}

static void evaluate(const struct score *score, const struct level *level, size_t n, const double *x, double *out)
{
    const struct oracle *oracle = (const struct oracle *)score;
    int at = 0;
    while (at < (int)oracle->levels && !level_equal(&oracle->density[at]->level, level))
        at++;
    if (at == (int)oracle->levels) {
        undeclared_note(oracle->undeclared, level, n, out);
        return;
    }
    if (oracle->original)
        x = make_relative(oracle, oracle->density[at], n, x);
    if (at == 0 && x == oracle->known_x)
        memcpy(out, oracle->known_score, n * sizeof *out);
    else
        mixture_level_evaluate(oracle->density[at], oracle->anchor, n, x, NULL, out);
    if (oracle->error[at].shape != NULL)
        error_level_add(&oracle->error[at], oracle->density[at], oracle->anchor, n, x, out, oracle->work);
    if (oracle->regions != NULL)
        for (size_t i = 0; i < n; i++)
            append_regions(oracle->regions, oracle, at, x[i]);
}

enum status oracle_new(const struct factor *factor, const struct sampler *sampler, struct oracle *out,
                       struct error *error)
{
    *out = (struct oracle){.base = {.evaluate = evaluate}, .levels = 2};
    for (size_t i = 0; i < SAMPLER_OTHER_LEVELS && sampler->other_levels != NULL; i++)
        TRY(mixture_level_new(factor, &out->other[i], error));
    return STATUS_OK;
}

void oracle_free(struct oracle *oracle)
{
    for (size_t i = 0; i < SAMPLER_OTHER_LEVELS; i++)
        mixture_level_free(&oracle->other[i]);
}

void oracle_set(struct oracle *oracle, const struct sampler *sampler, const struct schedule *schedule,
                const struct step *step, const struct mixture_level *from, const struct mixture_level *to,
                const struct score_error *score_error, double norm, double share)
{
    struct level level[SAMPLER_LEVELS];
    oracle->levels = sampler_levels(sampler, step, level);
    oracle->density[0] = from;
    oracle->density[1] = to;
    for (size_t i = 2; i < oracle->levels; i++) {
        mixture_level_set(&oracle->other[i - 2], &level[i]);
        oracle->density[i] = &oracle->other[i - 2];
    }
    for (size_t i = 0; i < oracle->levels; i++) {
        oracle->error[i] = (struct error_level){.shape = NULL};
        if (share > 0.0)
            score_error_at(score_error, norm, share, schedule, i == 1 ? step->t - 1 : step->t, oracle->density[i],
                           &oracle->error[i]);
    }
}

struct search {
    struct oracle *oracle;
    const struct sampler *sampler;
    const struct step *step;
    double *work;
    struct breaks *out;
};

/* What piece of the increment x lies in: equal values mean that no jump was crossed in between, or two. */
static uint64_t piece_at(struct search *search, double x)
{
    uint64_t regions = 1;
    double *value = search->work, *work = search->work + 1;
    search->oracle->regions = &regions;
    oracle_apply(search->oracle, search->sampler->increment, search->step, 1, &x, value, work);
    search->oracle->regions = NULL;
    if (search->sampler->correction != NULL && isfinite(search->step->clip)) {
        oracle_apply(search->oracle, search->sampler->correction, search->step, 1, &x, value, work);
        regions = regions << 1 | (fabs(*value) > search->step->clip);
    }
    return regions;
}

static void bisect(struct search *search, double from, uint64_t piece_from, double to, uint64_t piece_to)
{
    double middle = from + 0.5 * (to - from);
    if (piece_from == piece_to || search->out->count == MOST_BREAKS)
        return;
    if (!(middle > from && middle < to)) {
        search->out->at[search->out->count++] = to;
        return;
    }
    uint64_t piece = piece_at(search, middle);
    bisect(search, from, piece_from, middle, piece);
    bisect(search, middle, piece, to, piece_to);
}

enum { SCALES = 13, AROUND = 2 * SCALES + 1, NEAR = SAMPLER_LEVELS * ERROR_EDGES * AROUND };

/* Points around the jumps of all levels, in scales from rounding to beyond the noise: where the map drops at a jump,
 * it may cross an edge of the next level a little before or after and once more. */
static size_t points_near_edges(const struct oracle *oracle, const struct step *step, double tau, double *points)
{
    static const double scale[SCALES] = {1e-11, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0};
    size_t count = 0;
    double centre = oracle->density[0]->root_alpha_bar * oracle->density[0]->factor->mean[0];
    for (size_t level = 0; level < oracle->levels; level++)
        for (size_t e = 0; e < oracle->error[level].edges; e++)
            for (int k = -SCALES; k <= SCALES; k++) {
                double offset = k == 0 ? 0.0 : copysign(scale[abs(k) - 1], k);
                double edge = oracle->error[level].edge[e];
                edge *=
                    level == 0 ? 1.0 : oracle->density[0]->root_alpha_bar / oracle->density[level]->root_alpha_bar;
                double reach = tau + step->beta * oracle->error[level].amplitude * oracle->error[level].height;
                points[count++] = edge - centre + offset * reach;
            }
    return count;
}

void oracle_breaks(struct oracle *oracle, const struct sampler *sampler, const struct step *step,
                   const struct panels *grid, double tau, double *work, struct breaks *out)
{
    double near[NEAR];
    struct search search = {oracle, sampler, step, work, out};
    int whole = sampler->correction != NULL && isfinite(step->clip);
    size_t count = points_near_edges(oracle, step, tau, near), at = 0;
    size_t panels = whole ? 4 * grid->count : 0;
    double before = -HUGE_VAL;
    uint64_t piece_before = 0;
    out->count = 0;
    oracle->anchor = 0;
    qsort(near, count, sizeof *near, sorted_ascending);
    for (size_t p = 0; at < count || p < panels;) {
        double next = at < count ? near[at] : HUGE_VAL, on_grid = HUGE_VAL;
        if (p < panels) {
            const struct panel *panel = &grid->panel[p / 4];
            on_grid = mixture_level_centre(oracle->density[0], panel->anchor, 0) + panel->centre
                      + panel->half_width * (0.5 * (double)(p % 4) - 0.75);
        }
        if (on_grid < next) {
            next = on_grid;
            p++;
        } else
            at++;
        uint64_t piece = piece_at(&search, next);
        if (isfinite(before))
            bisect(&search, before, piece_before, next, piece);
        before = next;
        piece_before = piece;
    }
}
