#include "law/line/check.h"

#include <math.h>

#include "law/line/tuning.h"
#include "law/tuning.h"

/* Estimates of a stage's local error: of the stage as made, and of its parts. */
struct estimates {
    struct norms total, quadrature, interpolation;
    double ignored;   /* mass that a map without noise has lost */
    double rarest;    /* the smallest weight */
    double rounding;  /* what of the error is taken for rounding */
    double tolerance; /* for quadrature */
    double smooth;    /* for interpolation */
    double unchanged; /* for leaving the polynomials as they are */
    bool hidden;      /* rounding is more than quadrature may add */
};

/* What choices are made by: components that hardly count in L1(q) count too. */
static double tuned(const struct line *line, struct norms norms)
{
    return norms.l1 + line->rare * norms.own;
}

/* A map without noise is as good as the grid. */
static void set_tolerances(const struct line *line, struct estimates *out)
{
    const struct factor *factor = line->run->problem->factor;
    out->rarest = 1.0;
    for (size_t k = 0; k < factor->components; k++)
        out->rarest = fmin(out->rarest, factor->weight[k]);
    const struct transfer *transfer = &line->transfer;
    double steps = (double)(line->run->problem->schedule->T - 1);
    double distance = line->probe.distance + line->rare * line->probe.of_components;
    double relative = LINE_TOLERANCE / steps * distance / pow(line->run->resolution, LINE_TOLERANCE_POWER);
    double others = (double)(transfer->from->factor->components - 1);
    out->rounding =
        LINE_ROUNDING_PER_NOISE * transfer->tau / transfer->narrowest + LINE_ROUNDING_PER_COMPONENT * others;
    if (transfer->stage.deterministic || out->rounding > LINE_ROUNDING_MOST)
        out->rounding = LINE_ROUNDING_MOST;
    if (transfer->stage.deterministic)
        relative = 0.0;
    out->tolerance = fmax(relative, out->rounding);
    out->unchanged = fmax(relative, LINE_UNCHANGED_PART * out->rounding);
    out->hidden = relative < out->rounding;
    out->smooth = fmax(LINE_INTERPOLATION_PART * relative, out->rounding);
}

/* Fills the grid and estimates its errors. */
static enum status fill_and_estimate(struct line *line, size_t order, struct estimates *out, struct error *error)
{
    struct line_probe *probe = &line->probe;
    const struct transfer *transfer = &line->transfer;
    const struct panels *grid = line->result;
    struct panel_sums sums;
    TRY(line_fill(line, order, line->result, &sums, error));
    out->ignored = sums.ignored;
    TRY(line_probe_set(probe, transfer, &line->threads, grid, order + CHECK_ORDERS, error));
    TRY(line_probe_apply(probe, transfer, &line->threads, grid, order, probe->own, probe->value, error));
    out->total = line_probe_norms(probe, probe->value, probe->exact);
    out->quadrature = line_probe_norms(probe, probe->own, probe->exact);
    out->interpolation = line_probe_norms(probe, probe->value, probe->own);
    set_tolerances(line, out);
    return STATUS_OK;
}

/* The local error beyond rounding, which is counted by itself; polynomials that stay as they are do not suffer it. */
static struct norms local_error(struct norms norms, const struct estimates *estimates, bool unchanged)
{
    double ignored = unchanged ? 0.0 : estimates->ignored,
           of_components = ignored > 0.0 ? ignored / estimates->rarest : 0.0;
    return norms_sum(norms_beyond(norms, PROBE_MISSES, unchanged ? 0.0 : estimates->rounding),
                     (struct norms){ignored, ignored, of_components});
}

static const struct norms impossible = {HUGE_VAL, HUGE_VAL, HUGE_VAL};

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

/* The local error of adding increments to the polynomials that line->moved has, whose values are the probe's. */
static enum status estimate_increments(struct line *line, struct norms *out, struct error *error)
{
    struct line_probe *probe = &line->probe;
    const struct panels *added;
    *out = impossible;
    if (!line_increments_can(&line->increments))
        return STATUS_OK;
    TRY(line_increments_of(&line->increments, line->transfer.to, line->run->step.beta, &added, error));
    line_probe_evaluate(probe, &line->transfer, line->result, added, probe->own);
    for (size_t i = 0; i < probe->count; i++)
        probe->own[i] += probe->value[i];
    *out = line_probe_norms(probe, probe->own, probe->exact);
    return STATUS_OK;
}

/* Whether the steps up to the next check may be made by increments: their variances fall, as what is interpolated in
 * them must not change in other ways; and Euler's explicit method, which such steps are, is stable with the diffusion
 * of variance tau^2 a step, whose eigenvalues on a panel's polynomials are up to 0.047 PANEL_NODES^4 over its half
 * width squared. */
static bool admit_increments(const struct line *line)
{
    const double largest = 0.047 * PANEL_NODES * PANEL_NODES * PANEL_NODES * PANEL_NODES;
    const struct law_problem *problem = line->run->problem;
    const struct stage *stage = &line->transfer.stage;
    double steps = fmax(CHECK_STRIDE_UNCHANGED / problem->schedule->h, 1.0), narrowest = HUGE_VAL;
    if (stage->deterministic || stage->sampler->log_noise_before != NULL || problem->error_share > 0.0)
        return false;
    for (size_t p = 0; p < line->result->count; p++)
        narrowest = fmin(narrowest, line->result->panel[p].half_width);
    if (!(steps * largest * line->transfer.tau * line->transfer.tau < LINE_INCREMENTS_STABLE * narrowest * narrowest))
        return false;
    double before = stage->step->beta, beta = 0.0;
    for (size_t t = stage->step->t - 1; t >= 2 && (double)(stage->step->t - t) <= steps && beta < before; t--) {
        before = beta > 0.0 ? beta : before;
        beta = sampler_step(stage->sampler, problem->schedule, t).beta;
    }
    return beta < before;
}

/* What this step adds. */
static enum status take_increments(struct line *line, struct error *error)
{
    const struct transfer *transfer = &line->transfer;
    int in_order;
    if (!admit_increments(line)) {
        line->increments.known = 0;
        return STATUS_OK;
    }
    TRY(panels_move(transfer->grid, transfer->to, &line->moved, &in_order, error));
    return line_increments_take(&line->increments, &line->chebyshev, transfer->to, transfer->stage.step->beta,
                                &line->moved, line->result, error);
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
        TRY(panels_resample(&line->threads.groups, line->result, line->transfer.to, &line->chebyshev, &line->moved,
                            out, error));
    return STATUS_OK;
}

/* Raises the quadrature order where its error is above the tolerance, until there is room for it to rise further up
 * to the next check, and shortens panels that interpolate badly. */
static enum status tighten(struct line *line, struct line_choice *choice, struct estimates *estimates,
                           struct error *error)
{
    double before = HUGE_VAL;
    for (;;) {
        double quadrature = tuned(line, estimates->quadrature);
        double allowed = (isfinite(before) ? LINE_HEADROOM : 1.0) * estimates->tolerance;
        size_t used = line_order(line, choice->order);
        bool shorter = tuned(line, estimates->interpolation) > estimates->smooth && choice->spacing > 0;
        bool finer = quadrature > allowed && used < TRANSFER_HIGHEST_ORDER && !line->transfer.stage.deterministic;
        bool limited = quadrature < LINE_ROUNDING_MOST
                       || (used > TRANSFER_FIRST_LATTICE && quadrature < LINE_STALLED_BELOW * estimates->tolerance);
        if (finer && limited && quadrature > LINE_STALLED_GAIN * before) {
            choice->order--;
            return STATUS_OK;
        }
        if (!finer && !shorter)
            return STATUS_OK;
        if (finer) {
            before = quadrature;
            choice->order += quadrature_raise(quadrature, allowed);
        }
        if (shorter) {
            choice->spacing--;
            TRY(line_lay_out(line, choice->spacing, line->result, error));
        }
        TRY(fill_and_estimate(line, line_order(line, choice->order), estimates, error));
    }
}

/* Looks for longer panels for the steps after the next check. */
static enum status lengthen(struct line *line, struct line_choice *choice, const struct estimates *estimates,
                            struct error *error)
{
    if (line->run->resolution > 1.0 || choice->spacing == LINE_MOST_LENGTHENINGS
        || tuned(line, estimates->interpolation) > estimates->smooth)
        return STATUS_OK;
    choice->spacing++;
    TRY(line_lay_out(line, choice->spacing, &line->moved, error));
    struct norms longer;
    TRY(panels_resample(&line->threads.groups, line->result, line->transfer.to, &line->chebyshev, &line->moved,
                        &longer, error));
    if (!(tuned(line, longer) < LINE_LENGTHEN_BELOW * estimates->smooth))
        choice->spacing--;
    return STATUS_OK;
}

/* Looks for a lower quadrature order for the steps to come, whose error is added to *after. Where rounding hides the
 * error of quadrature, the order below the one taken must be as good. */
static enum status relax(struct line *line, struct line_choice *choice, const struct estimates *estimates,
                         int descent, struct norms *after, struct error *error)
{
    struct norms accepted = {0.0, 0.0, 0.0};
    size_t reserve = estimates->hidden && line->run->resolution <= 1.0, order = choice->order;
    for (size_t down = 1; down <= (size_t)descent + reserve && down <= choice->order; down++) {
        TRY(line_probe_apply(&line->probe, &line->transfer, &line->threads, line->result,
                             line_order(line, choice->order - down), line->probe.value, NULL, error));
        struct norms lower = line_probe_norms(&line->probe, line->probe.value, line->probe.exact);
        bool no_worse =
            estimates->hidden && tuned(line, lower) < LINE_LOWER_NO_WORSE * tuned(line, estimates->quadrature);
        if (!(tuned(line, lower) < LINE_LOWER_BELOW * estimates->tolerance || no_worse))
            break;
        accepted = lower;
        order = choice->order - down;
    }
    if (order + reserve < choice->order)
        *after = norms_sum(*after, accepted);
    if (order + reserve <= choice->order || choice->order < TRANSFER_HIGHEST_ORDER)
        choice->order = order + reserve;
    return STATUS_OK;
}

enum status line_check(struct line *line, struct step_error *local, struct error *error)
{
    const struct stage *stage = &line->transfer.stage;
    struct line_choice *choice = &line->choice[stage->index];
    struct panels *before = &line->before[stage->index];
    struct estimates estimates;
    struct norms unchanged, moved, extrapolated;
    bool last = stage->step->t == 2;
    if (last)
        choice->spacing = 0;
    TRY(line_lay_out(line, choice->spacing, line->result, error));
    TRY(fill_and_estimate(line, line_order(line, choice->order), &estimates, error));
    TRY(estimate_unchanged(line, &unchanged, error));
    TRY(estimate_increments(line, &extrapolated, error));
    TRY(estimate_moved(line, &moved, error));
    if (choice->unchanged || choice->by_increments)
        local->before = local_error(choice->unchanged ? unchanged : extrapolated, &estimates, true);
    else if (before->count > 0 && !choice->relaid)
        local->before = local_error(norms_sum(estimates.quadrature, moved), &estimates, false);
    else
        local->before = local_error(estimates.total, &estimates, false);
    size_t order = choice->order;
    TRY(tighten(line, choice, &estimates, error));
    TRY(check_probed_mass(line->probe.mass, stage->sampler->name, error));
    TRY(panels_copy(line->result, before, error));
    local->itself = local_error(estimates.total, &estimates, false);
    line->rounding[stage->index] = estimates.rounding;
    double least = stage->deterministic ? tuned(line, estimates.interpolation) : 0.0;
    choice->relaid =
        isfinite(tuned(line, moved)) && tuned(line, moved) > fmax(LINE_RELAY_ABOVE * estimates.smooth, least);
    choice->unchanged = tuned(line, unchanged) < LINE_LOWER_BELOW * estimates.unchanged;
    TRY(take_increments(line, error));
    choice->by_increments = !choice->unchanged && !estimates.hidden && line_increments_can(&line->increments)
                            && tuned(line, extrapolated) < LINE_INCREMENTS_BELOW * estimates.unchanged;
    bool kept = choice->unchanged || choice->by_increments;
    local->after = local_error(choice->unchanged ? unchanged
                               : kept            ? extrapolated
                                                 : estimates.total,
                               &estimates, kept);
    if (!choice->unchanged && !stage->deterministic)
        TRY(relax(line, choice, &estimates, choice->order > order ? 0 : LINE_MOST_DESCENT, &local->after, error));
    return last ? STATUS_OK : lengthen(line, choice, &estimates, error);
}
