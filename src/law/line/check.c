#include "law/line/check.h"

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

/* Estimates of a stage's local error: of the stage as made, and of its parts. */
struct estimates {
    struct norms total, quadrature, interpolation;
    double ignored;   /* mass that a map without noise has lost */
    double rounding;  /* what of the error is taken for rounding */
    double tolerance; /* for quadrature */
    double smooth;    /* for interpolation */
    double unchanged; /* for leaving the polynomials as they are */
    bool hidden;      /* rounding is more than quadrature may add */
};

/* A map without noise is as good as the grid. */
static void set_tolerances(const struct line *line, struct estimates *out)
{
    const struct transfer *transfer = &line->transfer;
    double steps = (double)(line->run->problem->schedule->T - 1);
    double relative = TOLERANCE / steps * line->probe.distance / pow(line->run->resolution, SHARPER);
    double others = (double)(transfer->from->factor->components - 1);
    out->rounding = ROUNDING_NOISE * transfer->tau / transfer->narrowest + ROUNDING_OTHERS * others;
    if (transfer->stage.deterministic || out->rounding > ROUNDING_MOST)
        out->rounding = ROUNDING_MOST;
    if (transfer->stage.deterministic)
        relative = 0.0;
    out->tolerance = fmax(relative, out->rounding);
    out->unchanged = fmax(relative, STILL_PART * out->rounding);
    out->hidden = relative < out->rounding;
    out->smooth = fmax(INTERPOLATION_PART * relative, out->rounding);
}

/* Fills the grid and estimates its errors. */
static enum status fill_and_estimate(struct line *line, size_t rung, struct estimates *out, struct error *error)
{
    struct line_probe *probe = &line->probe;
    const struct transfer *transfer = &line->transfer;
    const struct panels *grid = line->result;
    line->team.work->ignored = 0.0;
    TRY(line_fill(line, rung, line->result, error));
    out->ignored = line->team.work->ignored;
    TRY(line_probe_set(probe, transfer, &line->team, grid, rung + FINER, error));
    TRY(line_probe_apply(probe, transfer, &line->team, grid, rung, probe->own, error));
    line_probe_evaluate(probe, transfer, grid, grid, probe->value);
    out->total = line_probe_norms(probe, probe->value, probe->exact);
    out->quadrature = line_probe_norms(probe, probe->own, probe->exact);
    out->interpolation = line_probe_norms(probe, probe->value, probe->own);
    set_tolerances(line, out);
    return STATUS_OK;
}

/* The local error beyond rounding, which is counted by itself; polynomials that stay as they are do not suffer it. */
static struct norms local_error(struct norms norms, const struct estimates *estimates, bool unchanged)
{
    double ignored = unchanged ? 0.0 : estimates->ignored;
    return norms_sum(norms_beyond(norms, PROBE_MISSES, unchanged ? 0.0 : estimates->rounding),
                     (struct norms){ignored, ignored});
}

static const struct norms impossible = {HUGE_VAL, HUGE_VAL};

/* The local error of leaving the panels' polynomials as they are. */
static enum status estimate_unchanged(struct line *line, struct norms *out, struct error *error)
{
    const struct transfer *transfer = &line->transfer;
    int in_order;
    *out = impossible;
    TRY(panels_move(transfer->grid, transfer->to, &line->moved, &in_order, error));
    if (in_order) {
        line_probe_evaluate(&line->probe, transfer, line->result, &line->moved, line->probe.value);
        *out = line_probe_norms(&line->probe, line->probe.value, line->probe.exact);
    }
    return STATUS_OK;
}

/* The interpolation error of the last check's panels, now that they have moved along with the components. */
static enum status estimate_moved(struct line *line, struct norms *out, struct error *error)
{
    const struct panels *before = &line->before[line->transfer.stage.index];
    int in_order;
    *out = impossible;
    if (before->count == 0)
        return STATUS_OK;
    TRY(panels_move(before, line->transfer.to, &line->moved, &in_order, error));
    if (in_order)
        *out = panels_resample(line->result, line->transfer.to, &line->chebyshev, &line->moved);
    return STATUS_OK;
}

/* Raises the quadrature order where its error is above the tolerance, until there is room for it to rise further up
 * to the next check, and shortens panels that interpolate badly. */
static enum status tighten(struct line *line, struct line_choice *choice, struct estimates *estimates,
                           struct error *error)
{
    double before = HUGE_VAL;
    for (;;) {
        double quadrature = estimates->quadrature.l1;
        double allowed = (isfinite(before) ? ROOM : 1.0) * estimates->tolerance;
        size_t used = line_rung(line, choice->rung);
        bool shorter = estimates->interpolation.l1 > estimates->smooth && choice->spacing > 0;
        bool finer = quadrature > allowed && used < TRANSFER_TOP_RUNG && !line->transfer.stage.deterministic;
        bool limited =
            quadrature < ROUNDING_MOST || (used > TRANSFER_FIRST_LATTICE && quadrature < NEAR * estimates->tolerance);
        if (finer && limited && quadrature > GAIN * before) {
            choice->rung--;
            return STATUS_OK;
        }
        if (!finer && !shorter)
            return STATUS_OK;
        if (finer) {
            before = quadrature;
            choice->rung += quadrature > FAR_OFF * allowed ? 3 : 1;
        }
        if (shorter) {
            choice->spacing--;
            TRY(line_lay_out(line, choice->spacing, line->result, error));
        }
        TRY(fill_and_estimate(line, line_rung(line, choice->rung), estimates, error));
    }
}

/* Looks for longer panels for the steps after the next check. */
static enum status lengthen(struct line *line, struct line_choice *choice, const struct estimates *estimates,
                            struct error *error)
{
    if (line->run->resolution > 1.0 || choice->spacing == LONGEST || estimates->interpolation.l1 > estimates->smooth)
        return STATUS_OK;
    choice->spacing++;
    TRY(line_lay_out(line, choice->spacing, &line->moved, error));
    struct norms longer = panels_resample(line->result, line->transfer.to, &line->chebyshev, &line->moved);
    if (!(longer.l1 < LONGER * estimates->smooth))
        choice->spacing--;
    return STATUS_OK;
}

/* Looks for a lower quadrature order for the steps to come, whose error is added to *after. Where rounding hides the
 * error of quadrature, the order below the one taken must be as good. */
static enum status relax(struct line *line, struct line_choice *choice, const struct estimates *estimates,
                         int descent, struct norms *after, struct error *error)
{
    struct norms accepted = {0.0, 0.0};
    size_t reserve = estimates->hidden && line->run->resolution <= 1.0, rung = choice->rung;
    for (size_t down = 1; down <= (size_t)descent + reserve && down <= choice->rung; down++) {
        TRY(line_probe_apply(&line->probe, &line->transfer, &line->team, line->result,
                             line_rung(line, choice->rung - down), line->probe.value, error));
        struct norms lower = line_probe_norms(&line->probe, line->probe.value, line->probe.exact);
        bool no_worse = estimates->hidden && lower.l1 < NO_WORSE * estimates->quadrature.l1;
        if (!(lower.l1 < ENOUGH * estimates->tolerance || no_worse))
            break;
        accepted = lower;
        rung = choice->rung - down;
    }
    if (rung + reserve < choice->rung)
        *after = norms_sum(*after, accepted);
    if (rung + reserve <= choice->rung || choice->rung < TRANSFER_TOP_RUNG)
        choice->rung = rung + reserve;
    return STATUS_OK;
}

enum status line_check(struct line *line, struct step_error *local, struct error *error)
{
    const struct stage *stage = &line->transfer.stage;
    struct line_choice *choice = &line->choice[stage->index];
    struct panels *before = &line->before[stage->index];
    struct estimates estimates;
    struct norms unchanged, moved;
    bool last = stage->step->t == 2;
    if (last)
        choice->spacing = 0;
    TRY(line_lay_out(line, choice->spacing, line->result, error));
    TRY(fill_and_estimate(line, line_rung(line, choice->rung), &estimates, error));
    TRY(estimate_unchanged(line, &unchanged, error));
    TRY(estimate_moved(line, &moved, error));
    if (choice->carried)
        local->before = local_error(unchanged, &estimates, true);
    else if (before->count > 0 && !choice->fresh)
        local->before = local_error(norms_sum(estimates.quadrature, moved), &estimates, false);
    else
        local->before = local_error(estimates.total, &estimates, false);
    size_t rung = choice->rung;
    TRY(tighten(line, choice, &estimates, error));
    TRY(panels_copy(line->result, before, error));
    local->itself = local_error(estimates.total, &estimates, false);
    line->rounding[stage->index] = estimates.rounding;
    double least = stage->deterministic ? estimates.interpolation.l1 : 0.0;
    choice->fresh = isfinite(moved.l1) && moved.l1 > fmax(DRIFT * estimates.smooth, least);
    choice->carried = unchanged.l1 < ENOUGH * estimates.unchanged;
    local->after = local_error(choice->carried ? unchanged : estimates.total, &estimates, choice->carried);
    if (!choice->carried && !stage->deterministic)
        TRY(relax(line, choice, &estimates, choice->rung > rung ? 0 : DESCENT, &local->after, error));
    return last ? STATUS_OK : lengthen(line, choice, &estimates, error);
}
