#include "law/plane/paths.h"

#include <math.h>

#include "core/parallel.h"
#include "law/monotone.h"
#include "law/plane/domain.h"
#include "law/tuning.h"

enum { POINTS = PATCH_MOST * PATCH_MOST, STENCIL = MONOTONE_STENCIL, MOST_NEWTON = 60, STARTS = 16, BLOCKS = 7 };

/* Starts lie on a lattice of STARTS BLOCKS points in either direction, up to this: beyond is 1e-10 of N(0, I). */
#define START_REACH 6.5

/* D and its derivatives at some points, coordinate after coordinate; D'[i][k] = dD_i/dx_k. */
struct jet {
    double D[2][POINTS], slope[2][2][POINTS];
};

static void displace(const struct plane_transfer *transfer, struct plane_work *work, size_t anchor, size_t count,
                     double x[2][POINTS], struct jet *out)
{
    for (size_t j = 0; j < count; j++)
        for (size_t i = 0; i < 2; i++)
            work->x[i * count + j] = x[i][j];
    plane_transfer_at(transfer, work, anchor, count);
    work->node_updates += count;
    for (size_t j = 0; j < count; j++)
        for (size_t i = 0; i < 2; i++)
            out->D[i][j] = work->increment[i * count + j];
}

static void differentiate(const struct plane_transfer *transfer, struct plane_work *work, size_t anchor,
                          const double spacing[2], size_t count, double x[2][POINTS], struct jet *out)
{
    size_t all = 2 * STENCIL * count;
    for (size_t k = 0; k < 2; k++)
        for (size_t m = 0; m < STENCIL; m++)
            for (size_t j = 0; j < count; j++)
                for (size_t i = 0; i < 2; i++)
                    work->x[i * all + (k * STENCIL + m) * count + j] =
                        x[i][j] + (i == k ? stencil_offsets[m] * spacing[k] : 0.0);
    plane_transfer_at(transfer, work, anchor, all);
    work->node_updates += all;
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 2; k++)
            for (size_t j = 0; j < count; j++) {
                double total = 0.0;
                for (size_t m = 0; m < STENCIL; m++)
                    total += stencil_weights[m] * work->increment[i * all + (k * STENCIL + m) * count + j];
                out->slope[i][k][j] = total / spacing[k];
            }
}

/* det(1 + D') - 1 */
static double excess(const struct jet *jet, size_t j)
{
    return jet->slope[0][0][j] + jet->slope[1][1][j]
           + (jet->slope[0][0][j] * jet->slope[1][1][j] - jet->slope[0][1][j] * jet->slope[1][0][j]);
}

/* Neither turned over nor turned round. */
static bool is_upright(const struct jet *jet, size_t j)
{
    return excess(jet, j) > -1.0 && jet->slope[0][0][j] + jet->slope[1][1][j] > -2.0;
}

static void newton_step(const struct jet *jet, size_t j, const double residual[2], double out[2])
{
    double a = 1.0 + jet->slope[0][0][j], b = jet->slope[0][1][j], c = jet->slope[1][0][j],
           d = 1.0 + jet->slope[1][1][j], det = 1.0 + excess(jet, j);
    bool steep = !(det > 0.1);
    out[0] = steep ? residual[0] : (d * residual[0] - b * residual[1]) / det;
    out[1] = steep ? residual[1] : (a * residual[1] - c * residual[0]) / det;
}

/* Solves x + D(x) = goal. Derivatives are taken again where the residual does not fall by much, and a step that makes
 * it larger is halved: in valleys D is steep and, on either side, flat. The jet may have D' of the step before. */
static void invert(const struct plane_transfer *transfer, struct plane_work *work, size_t anchor, double length,
                   const double spacing[2], size_t count, double goal[2][POINTS], double x[2][POINTS],
                   bool has_slopes, struct jet *jet, bool *good)
{
    double before = 0.0, missed, size[POINTS], step[POINTS][2];
    for (int n = 0; n < MOST_NEWTON; n++, before = missed) {
        displace(transfer, work, anchor, count, x, jet);
        missed = 0.0;
        double residual[POINTS][2];
        bool larger[POINTS];
        for (size_t j = 0; j < count; j++) {
            double now = 0.0;
            for (size_t i = 0; i < 2; i++) {
                residual[j][i] = goal[i][j] - x[i][j] - jet->D[i][j];
                now = isnan(residual[j][i]) ? HUGE_VAL : fmax(now, fabs(residual[j][i]) / length);
            }
            larger[j] = n > 0 && !(now <= size[j]) && !(now <= NEWTON_ACCEPTED);
            size[j] = larger[j] ? size[j] : now;
            good[j] = now <= NEWTON_ACCEPTED;
            missed = fmax(missed, now);
        }
        if (missed <= NEWTON_CONVERGED || (missed <= NEWTON_ACCEPTED && missed >= before && n > 0))
            break;
        if ((n == 0 && !has_slopes) || (n > 0 && !(missed < 0.1 * before))) /* also where both are infinite */
            differentiate(transfer, work, anchor, spacing, count, x, jet);
        for (size_t j = 0; j < count; j++) {
            if (!larger[j])
                newton_step(jet, j, residual[j], step[j]);
            for (size_t i = 0; i < 2; i++) {
                step[j][i] *= larger[j] ? 0.5 : 1.0;
                x[i][j] += larger[j] ? -step[j][i] : step[j][i];
            }
        }
    }
    differentiate(transfer, work, anchor, spacing, count, x, jet);
    for (size_t j = 0; j < count; j++)
        good[j] &= is_upright(jet, j);
}

/* Sums of whole numbers do not depend on their order, nor on which thread adds what. One that is refused in any case
 * grows no further, lest it overflow. */
#define FOLDED_UNIT 0x1p-80

static void add_folded(struct plane_folded *folded, double mass, size_t t, double place)
{
    if (!(mass <= MAP_IGNORED_MASS)) { /* refused */
        mass = isnan(mass) ? HUGE_VAL : mass;
        if (mass > folded->largest) {
            folded->t = t;
            folded->place = place;
        }
        folded->largest = fmax(folded->largest, mass);
    } else if ((double)folded->units * FOLDED_UNIT <= MAP_IGNORED_MASS)
        folded->units += (uint64_t)ceil(mass / FOLDED_UNIT);
}

/* Over which D is smooth around some points: the size of a box that holds them, at most the local scale there. */
static double length_at(const struct plane_transfer *transfer, size_t anchor, size_t count, double x[2][POINTS])
{
    struct patch box = {.anchor = anchor};
    for (int k = 0; k < 2; k++) {
        double low = HUGE_VAL, high = -HUGE_VAL;
        for (size_t i = 0; i < count; i++) {
            low = fmin(low, x[k][i]);
            high = fmax(high, x[k][i]);
        }
        box.centre[k] = 0.5 * (low + high) / transfer->from->root_alpha_bar;
        box.half = fmax(box.half, 0.5 * (high - low) / transfer->from->root_alpha_bar);
    }
    return transfer->from->root_alpha_bar * fmin(2.0 * box.half, patch_scale(&box, transfer->from));
}

/* A power of two, so that the stencil's points are exact. */
static double spacing_of(double length, bool finer)
{
    return exp2(floor(log2(STENCIL_SPACING * length)) - (finer ? 1.0 : 0.0));
}

static double coordinate(const struct joint_level *joint, size_t anchor, double x, size_t k)
{
    return x + joint->root_alpha_bar * joint->factor->mean[2 * anchor + k];
}

void plane_paths_apply(const struct plane_paths *paths, struct plane_thread *thread, const struct patch *patch,
                       const bool finer[2], size_t nx, const double *x, size_t ny, const double *y, double *log_ratio,
                       double *log_density)
{
    const struct joint_level *last = paths->last;
    const struct plane_transfer *transfer = &thread->transfer;
    double place[2 * POINTS] = {0.0}, goal[2][POINTS], at[2][POINTS], log_det[POINTS] = {0.0};
    size_t points = nx * ny, anchor = patch->anchor, lost[POINTS] = {0};
    bool good[POINTS];
    struct jet jet;
    for (size_t i = 0; i < points; i++)
        for (size_t k = 0; k < 2; k++)
            at[k][i] = place[k * points + i] = last->root_alpha_bar * (k == 0 ? x[i / ny] : y[i % ny]);
    joint_level_evaluate(last, anchor, points, points, place, log_density, NULL);
    for (size_t t = 2; t <= paths->T; t++) {
        paths->set_step(thread, t);
        for (size_t i = 0; i < points; i++)
            for (size_t k = 0; k < 2; k++)
                goal[k][i] = at[k][i] *= transfer->stage.a;
        double length = length_at(transfer, anchor, points, at);
        const double spacing[2] = {spacing_of(length, finer[0]), spacing_of(length, finer[1])};
        invert(transfer, &thread->work, anchor, length, spacing, points, goal, at, t > 2, &jet, good);
        for (size_t i = 0; i < points; i++) {
            lost[i] = !good[i] && lost[i] == 0 ? t : lost[i];
            for (size_t k = 0; k < 2; k++)
                at[k][i] = good[i] ? at[k][i] : goal[k][i];
            log_det[i] += good[i] ? transfer->stage.step->log_alpha - log1p(excess(&jet, i)) : 0.0;
        }
    }
    double side = 2.0 * last->root_alpha_bar * patch->half, area = side * side / (double)points;
    for (size_t i = 0; i < points; i++) {
        double u = coordinate(transfer->from, anchor, at[0][i], 0),
               v = coordinate(transfer->from, anchor, at[1][i], 1);
        log_ratio[i] = log_det[i] - 0.5 * (u * u + v * v) - log(2.0 * M_PI) - log_density[i];
        if (lost[i] > 0)
            add_folded(&thread->work.folded, exp(log_density[i] + log_ratio[i]) * area, lost[i],
                       coordinate(last, anchor, place[i], 0));
    }
}

struct search {
    const struct plane_paths *paths;
    struct plane_thread *thread;
};

/* Follows one block of starts, relative to component 0, to the end. */
static void follow(void *context, size_t thread, size_t block)
{
    const struct search *search = context;
    struct plane_thread *own = &search->thread[thread];
    const struct plane_transfer *transfer = &own->transfer;
    const double apart = 2.0 * START_REACH / (STARTS * BLOCKS);
    double at[2][POINTS], mass[POINTS];
    bool folds[POINTS] = {false};
    struct jet jet;
    search->paths->set_step(own, search->paths->T);
    for (size_t i = 0; i < POINTS; i++) {
        const size_t index[2] = {block / BLOCKS * STARTS + i / STARTS, block % BLOCKS * STARTS + i % STARTS};
        double square = 0.0;
        for (size_t k = 0; k < 2; k++) {
            double z = apart * ((double)index[k] + 0.5) - START_REACH;
            square += z * z;
            at[k][i] = z - coordinate(transfer->from, 0, 0.0, k);
        }
        mass[i] = apart * apart * exp(-0.5 * square) / (2.0 * M_PI);
    }
    for (size_t t = search->paths->T; t >= 2; t--) {
        search->paths->set_step(own, t);
        double spacing = spacing_of(length_at(transfer, 0, POINTS, at), false);
        displace(transfer, &own->work, 0, POINTS, at, &jet);
        differentiate(transfer, &own->work, 0, (const double[2]){spacing, spacing}, POINTS, at, &jet);
        for (size_t i = 0; i < POINTS; i++) {
            if (!folds[i] && !is_upright(&jet, i)) {
                add_folded(&own->work.folded, mass[i], t, coordinate(transfer->from, 0, at[0][i], 0));
                folds[i] = true;
            }
            for (size_t k = 0; k < 2; k++)
                at[k][i] = (at[k][i] + jet.D[k][i]) / transfer->stage.a;
        }
    }
}

void plane_paths_find_folds(const struct plane_paths *paths, struct plane_thread *thread, struct team *team)
{
    struct search search = {paths, thread};
    team_for(team, BLOCKS * BLOCKS, follow, &search);
}

enum status plane_paths_take_folded(const struct plane_paths *paths, struct plane_thread *thread, struct team *team,
                                    double *ignored, struct error *error)
{
    struct plane_folded all = {.t = 2};
    for (size_t i = 0; i < team_threads(team); i++) {
        const struct plane_folded *own = &thread[i].work.folded;
        uint64_t units = all.units + own->units;
        if (own->largest > all.largest)
            all = *own;
        all.units = units;
        thread[i].work.folded = (struct plane_folded){0};
    }
    *ignored = 2.0 * FOLDED_UNIT * (double)all.units;
    paths->set_step(thread, all.t);
    return monotone_ignore(&thread->transfer.stage, fmax(all.largest, 0.5 * *ignored), "x = ", all.place,
                           &(double){0.0}, error);
}
