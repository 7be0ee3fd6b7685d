#include "law/line_check.h"

#include <math.h>

/* What rounding makes of a stage in L1(p), by measurement a third of these: in proportion to the noise in standard
 * deviations of the narrowest component, and for each component besides one; and the most that is called rounding. */
#define ROUNDING_NOISE 3e-15
#define ROUNDING_OTHERS 1e-16
#define ROUNDING_MOST 3e-16

/* What a stage's quadrature may do wrong: a part of E_p|r - 1|, shared by the steps, which falls with this power of
 * the resolution; or as much as rounding, if that is more. */
#define TOLERANCE 1.5e-7
#define SHARPER 6.0
/* A rule that had to be finer must have so much room below that, for the error to rise up to the next check. */
#define ROOM 0.1
/* So many times the tolerance, and the next rungs need not be tried one by one. */
#define FAR_OFF 1e4
/* A lattice that makes no less than this part of the error of the one before, so near the tolerance, says that the
 * grid is to blame, not the rule. */
#define GAIN 0.4
#define NEAR 100.0

/* A rule is good enough for the steps to come at this part of the tolerance, or where rounding hides what it does
 * wrong, if it seems no worse than by this factor. No more than a few rungs are given up at a time: where no mass is,
 * nothing says that a rule is too coarse, and what it does wrong there is handed on. */
#define ENOUGH 0.5
#define NO_WORSE 1.5
enum { DESCENT = 2 };

/* What interpolation may add: a part of what quadrature may, or as much as rounding. Panels become longer where that
 * leaves this part of it, and are laid out anew in every step where moving them along would add more than this (and,
 * where a map without noise makes all that it adds last, more than new ones do). */
#define INTERPOLATION_PART 0.05
#define LONGER 0.1
#define DRIFT 0.03
enum { LONGEST = 4 };

/* Polynomials stay as they are where that does wrong no more than quadrature may, or than this part of rounding,
 * which it does not suffer. */
#define STILL_PART 0.02

/* What a stage as made does wrong, and why. */
struct findings {
    struct error_norms total, quadrature, interpolation;
    double ignored;
    double rounding;                 /* what is taken for that */
    double tolerance, smooth, still; /* what the rule may do wrong, what interpolation may, and what no change may */
    int hidden;                      /* rounding is more than the rule may do wrong */
};

/* A map without noise is as good as the grid. */
static void set_tolerances(const struct line *line, const struct transfer *transfer, struct findings *out)
{
    double steps = (double)(line->problem->schedule->T - 1);
    double relative = TOLERANCE / steps * line->probe.distance / pow(line->resolution, SHARPER);
    double others = (double)(transfer->from->factor->components - 1);
    out->rounding = ROUNDING_NOISE * transfer->tau / transfer->narrowest + ROUNDING_OTHERS * others;
    if (transfer->deterministic || out->rounding > ROUNDING_MOST)
        out->rounding = ROUNDING_MOST;
    if (transfer->deterministic)
        relative = 0.0;
    out->tolerance = fmax(relative, out->rounding);
    out->still = fmax(relative, STILL_PART * out->rounding);
    out->hidden = relative < out->rounding;
    out->smooth = fmax(INTERPOLATION_PART * relative, out->rounding);
}

/* Fills the grid and looks at it. */
static enum status try_rule(struct line *line, const struct transfer *transfer, size_t rung, struct panels *grid,
                            struct findings *out, struct error *error)
{
    struct line_probe *probe = &line->probe;
    line->team.work->ignored = 0.0;
    enum status status = line_fill(line, transfer, rung, grid, error);
    out->ignored = line->team.work->ignored;
    if (status == STATUS_OK)
        status = line_probe_set(probe, transfer, &line->team, grid, rung + FINER, error);
    if (status == STATUS_OK)
        status = line_probe_apply(probe, transfer, &line->team, grid, rung, probe->own, error);
    if (status != STATUS_OK)
        return status;
    line_probe_evaluate(probe, transfer, grid, grid, probe->value);
    out->total = line_probe_norms(probe, probe->value, probe->exact);
    out->quadrature = line_probe_norms(probe, probe->own, probe->exact);
    out->interpolation = line_probe_norms(probe, probe->value, probe->own);
    set_tolerances(line, transfer, out);
    return STATUS_OK;
}

/* Beyond rounding, which is counted by itself, and which polynomials that stay as they are do not suffer. */
static void add_wrong(struct error_norms *way, struct error_norms norms, const struct findings *found, int carried)
{
    double rounding = carried ? 0.0 : found->rounding, ignored = carried ? 0.0 : found->ignored;
    way->l1 += fmax(PROBE_MISSES * norms.l1 - rounding, 0.0) + ignored;
    way->l2 += fmax(PROBE_MISSES * norms.l2 - rounding, 0.0) + ignored;
}

static const struct error_norms impossible = {HUGE_VAL, HUGE_VAL};

/* What it would do wrong to leave the panels' polynomials as they are. */
static enum status carry(struct line *line, const struct transfer *transfer, const struct panels *grid,
                         struct error_norms *out, struct error *error)
{
    int in_order;
    enum status status = panels_move(transfer->grid, transfer->to, &line->moved, &in_order, error);
    *out = impossible;
    if (status == STATUS_OK && in_order) {
        line_probe_evaluate(&line->probe, transfer, grid, &line->moved, line->probe.value);
        *out = line_probe_norms(&line->probe, line->probe.value, line->probe.exact);
    }
    return status;
}

/* What the panels of the last check interpolate wrongly now that they have moved along. */
static enum status drift(struct line *line, const struct transfer *transfer, const struct panels *before,
                         const struct panels *grid, struct error_norms *out, struct error *error)
{
    int in_order;
    *out = impossible;
    if (before->count == 0)
        return STATUS_OK;
    enum status status = panels_move(before, transfer->to, &line->moved, &in_order, error);
    if (status == STATUS_OK && in_order)
        *out = panels_resample(grid, transfer->to, &line->chebyshev, &line->moved);
    return status;
}

/* Raises the rung where the rule's error is above the tolerance, until there is room for it to rise further up to the
 * next check, and shortens panels that interpolate badly. */
static enum status tighten(struct line *line, const struct transfer *transfer, const struct fineness *fineness,
                           struct line_choice *choice, struct panels *grid, struct findings *found,
                           struct error *error)
{
    double before = HUGE_VAL;
    enum status status = STATUS_OK;
    while (status == STATUS_OK) {
        double quadrature = found->quadrature.l1, allowed = (isfinite(before) ? ROOM : 1.0) * found->tolerance;
        size_t used = line_rung(line, choice->rung);
        int shorter = found->interpolation.l1 > found->smooth && choice->spacing > 0;
        int finer = quadrature > allowed && used < TRANSFER_TOP_RUNG && !transfer->deterministic;
        int limited =
            quadrature < ROUNDING_MOST || (used > TRANSFER_FIRST_LATTICE && quadrature < NEAR * found->tolerance);
        if (finer && limited && quadrature > GAIN * before) {
            choice->rung--;
            break;
        }
        if (!finer && !shorter)
            break;
        if (finer) {
            before = quadrature;
            choice->rung += quadrature > FAR_OFF * allowed ? 3 : 1;
        }
        if (shorter) {
            choice->spacing--;
            status = line_lay_out(line, transfer, choice->spacing, fineness, grid, error);
        }
        if (status == STATUS_OK)
            status = try_rule(line, transfer, line_rung(line, choice->rung), grid, found, error);
    }
    return status;
}

/* Looks for longer panels for the steps after the next check. */
static enum status lengthen(struct line *line, const struct transfer *transfer, const struct fineness *fineness,
                            struct line_choice *choice, const struct panels *grid, const struct findings *found,
                            struct error *error)
{
    if (line->resolution > 1.0 || choice->spacing == LONGEST || found->interpolation.l1 > found->smooth)
        return STATUS_OK;
    choice->spacing++;
    enum status status = line_lay_out(line, transfer, choice->spacing, fineness, &line->moved, error);
    if (status == STATUS_OK
        && !(panels_resample(grid, transfer->to, &line->chebyshev, &line->moved).l1 < LONGER * found->smooth))
        choice->spacing--;
    return status;
}

static struct error_norms sum(struct error_norms a, struct error_norms b)
{
    return (struct error_norms){a.l1 + b.l1, a.l2 + b.l2};
}

/* Looks for cheaper rules for the steps to come; what they do wrong is added to *wrong. Where rounding hides what a
 * rule does wrong, the one below it must be as good. */
static enum status relax(struct line *line, const struct transfer *transfer, const struct panels *grid,
                         struct line_choice *choice, const struct findings *found, int descent,
                         struct error_norms *wrong, struct error *error)
{
    struct error_norms accepted = {0.0, 0.0}, coarser;
    size_t reserve = found->hidden && line->resolution <= 1.0, rung = choice->rung;
    for (size_t down = 1; down <= (size_t)descent + reserve && down <= choice->rung; down++) {
        size_t used = line_rung(line, choice->rung - down);
        enum status status =
            line_probe_apply(&line->probe, transfer, &line->team, grid, used, line->probe.value, error);
        if (status != STATUS_OK)
            return status;
        coarser = line_probe_norms(&line->probe, line->probe.value, line->probe.exact);
        int no_worse = found->hidden && coarser.l1 < NO_WORSE * found->quadrature.l1;
        if (!(coarser.l1 < ENOUGH * found->tolerance || no_worse))
            break;
        accepted = coarser;
        rung = choice->rung - down;
    }
    if (rung + reserve < choice->rung)
        *wrong = sum(*wrong, accepted);
    if (rung + reserve <= choice->rung || choice->rung < TRANSFER_TOP_RUNG)
        choice->rung = rung + reserve;
    return STATUS_OK;
}

enum status line_check(struct line *line, const struct transfer *transfer, const struct fineness *fineness, int stage,
                       struct panels *grid, struct step_error *wrong, struct error *error)
{
    struct line_choice *choice = &line->choice[stage];
    struct findings found;
    struct error_norms carried, drifted, next = {0.0, 0.0};
    int last = transfer->step->t == 2;
    if (last)
        choice->spacing = 0;
    enum status status = line_lay_out(line, transfer, choice->spacing, fineness, grid, error);
    if (status == STATUS_OK)
        status = try_rule(line, transfer, line_rung(line, choice->rung), grid, &found, error);
    if (status == STATUS_OK)
        status = carry(line, transfer, grid, &carried, error);
    if (status == STATUS_OK)
        status = drift(line, transfer, &line->before[stage], grid, &drifted, error);
    if (status != STATUS_OK)
        return status;
    int moved = line->before[stage].count > 0 && !choice->fresh;
    size_t rung = choice->rung;
    if (choice->carried)
        add_wrong(&wrong->way[AS_BEFORE], carried, &found, 1);
    else
        add_wrong(&wrong->way[AS_BEFORE], moved ? sum(found.quadrature, drifted) : found.total, &found, 0);
    status = tighten(line, transfer, fineness, choice, grid, &found, error);
    if (status == STATUS_OK)
        status = panels_copy(grid, &line->before[stage], error);
    add_wrong(&wrong->way[AS_MADE], found.total, &found, 0);
    line->rounding[stage] = found.rounding;
    double least = transfer->deterministic ? found.interpolation.l1 : 0.0;
    choice->fresh = isfinite(drifted.l1) && drifted.l1 > fmax(DRIFT * found.smooth, least);
    choice->carried = carried.l1 < ENOUGH * found.still;
    add_wrong(&next, choice->carried ? carried : found.total, &found, choice->carried);
    if (status == STATUS_OK && !choice->carried && !transfer->deterministic)
        status = relax(line, transfer, grid, choice, &found, choice->rung > rung ? 0 : DESCENT, &next, error);
    if (status == STATUS_OK && !last)
        status = lengthen(line, transfer, fineness, choice, grid, &found, error);
    wrong->way[FROM_NOW_ON] = sum(wrong->way[FROM_NOW_ON], next);
    return status;
}
