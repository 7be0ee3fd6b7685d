#include "law/line/check.h"

#include <math.h>

#include "law/line/orders.h"
#include "law/line/reach.h"
#include "law/line/tuning.h"
#include "law/tuning.h"

/* Estimates of a stage's local error: of the stage as made, and of its parts. */
struct estimates {
    struct norms total, quadrature, interpolation;
    double ignored;   /* mass that a map without noise has lost */
    double rarest;    /* the smallest weight */
    double rounding;  /* what of the error is taken for rounding */
    double tolerance; /* for quadrature */
    double least;     /* share of a panel with mass: LINE_PANEL_MOST bounds its relative error */
    double smooth;    /* for interpolation */
    double unchanged; /* for leaving the polynomials as they are */
    bool hidden;      /* rounding is more than quadrature may add */
};

/* What choices are made by: components that hardly count in L1(q) count too. */
static double tuned(const struct line *line, struct norms norms)
{
    return norms.l1 + line->rare * norms.own;
}

/* Rounding in a stage, L1(p), where components have this standard deviation. */
static double rounding_beside(const struct transfer *transfer, double sd)
{
    double others = (double)(transfer->from->factor->components - 1);
    double rounding = LINE_ROUNDING_PER_NOISE * transfer->tau / sd + LINE_ROUNDING_PER_COMPONENT * others;
    return transfer->stage.deterministic ? LINE_ROUNDING_MOST : fmin(rounding, LINE_ROUNDING_MOST);
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
    out->rounding = rounding_beside(transfer, transfer->narrowest);
    if (transfer->stage.deterministic)
        relative = 0.0;
    out->tolerance = fmax(relative, out->rounding);
    out->least = out->tolerance * steps / LINE_PANEL_MOST;
    out->unchanged = fmax(relative, LINE_UNCHANGED_PART * out->rounding);
    out->hidden = relative < out->rounding;
    out->smooth = fmax(LINE_INTERPOLATION_PART * relative, out->rounding);
}

/* Fills the panels that are due and estimates errors. */
static enum status fill_due(struct line *line, struct estimates *out, struct error *error)
{
    struct line_probe *probe = &line->probe;
    const struct transfer *transfer = &line->transfer;
    const struct panels *grid = line->result;
    struct panel_sums sums;
    TRY(line_fill(line, true, &sums, error));
    out->ignored = sums.ignored;
    TRY(line_probe_set(probe, transfer, &line->threads, grid, error));
    TRY(line_probe_apply(probe, transfer, &line->threads, grid, 0, probe->own, probe->value, error));
    out->total = line_probe_norms(probe, probe->value, probe->exact);
    set_tolerances(line, out);
    out->interpolation = line_probe_norms(probe, probe->value, probe->own);
    for (size_t p = 0; p < grid->count; p++)
        probe->panel[p].interpolation =
            line_probe_panel_error(probe, p, line->rare, out->least, &probe->panel[p].share);
    out->quadrature = line_probe_norms(probe, probe->own, probe->exact);
    for (size_t p = 0; p < grid->count; p++)
        probe->panel[p].error = line_probe_panel_error(probe, p, line->rare, out->least, &probe->panel[p].share);
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

/* The error of quadrature that a panel may have, times its share, of this part of the tolerance: rounding, which no
 * order takes away, is not asked to be less. */
static double allowed(const struct line *line, const struct estimates *estimates, double part, size_t p, double share)
{
    double rounding = rounding_beside(&line->transfer, line->transfer.from->sd[line->result->panel[p].dominant]);
    return fmax(part * estimates->tolerance, LINE_PANEL_ROUNDINGS * rounding * share);
}

/* Whether a panel's error of quadrature may be of the polynomials that it integrates: near the tolerance that of a
 * lattice, or one of the size that kinks where panels meet may have. */
static bool is_limited_by_grid(const struct line_panel_probe *panel, size_t order, double tolerance)
{
    return (order > TRANSFER_FIRST_LATTICE && panel->error < LINE_STALLED_BELOW * tolerance)
           || panel->error < LINE_KINKS * fmin(panel->interpolation, tolerance);
}

/* Gives empty panels the largest order of all, as no error there shows that a rule is too coarse; true if any had a
 * lower one. They become due, and no others. */
static bool raise_empty(struct line_probe *probe, struct panels *panels)
{
    size_t most = panels_order(panels, 0, panels->count);
    bool any = false;
    for (size_t p = 0; p < panels->count; p++) {
        probe->panel[p].due = probe->panel[p].empty && panels->panel[p].order < most;
        panels->panel[p].order = probe->panel[p].due ? most : panels->panel[p].order;
        any |= probe->panel[p].due;
    }
    return any;
}

/* Raises the quadrature order of panels where its error is above the tolerance, until there is room for it to rise
 * further up to the next check. */
static enum status raise_orders(struct line *line, struct estimates *estimates, struct error *error)
{
    struct line_probe *probe = &line->probe;
    for (bool any = !line->transfer.stage.deterministic; any;) {
        any = false;
        for (size_t p = 0; p < probe->panels; p++) {
            struct line_panel_probe *at = &probe->panel[p];
            size_t *order = &line->result->panel[p].order, used = transfer_order(&line->transfer, *order);
            double most = allowed(line, estimates, isfinite(at->before) ? LINE_HEADROOM : 1.0, p, at->share);
            bool limited = at->error < LINE_ROUNDING_MOST || is_limited_by_grid(at, used, estimates->tolerance);
            at->due = !at->settled && at->error > most && used < TRANSFER_HIGHEST_ORDER;
            if (at->due && limited && at->error > LINE_STALLED_GAIN * at->before) {
                *order -= 1;
                at->settled = true;
                at->due = false;
            }
            if (!at->due)
                continue;
            at->before = at->error;
            *order += quadrature_raise(at->error, most);
            any = true;
        }
        if (any)
            TRY(fill_due(line, estimates, error));
    }
    if (!line->transfer.stage.deterministic && raise_empty(probe, line->result))
        TRY(fill_due(line, estimates, error));
    return STATUS_OK;
}

/* Raises quadrature orders, and shortens panels that interpolate badly. */
static enum status tighten(struct line *line, struct line_choice *choice, struct estimates *estimates,
                           struct error *error)
{
    TRY(raise_orders(line, estimates, error));
    while (tuned(line, estimates->interpolation) > estimates->smooth && choice->spacing > 0) {
        choice->spacing--;
        TRY(panels_copy(line->result, &line->moved, error));
        TRY(line_lay_out(line, choice->spacing, line->result, error));
        panels_inherit_orders(&line->moved, line->transfer.to, line->result);
        TRY(line_set_reach(line, error));
        TRY(line_probe_place(&line->probe, line->result, error));
        TRY(fill_due(line, estimates, error));
        TRY(raise_orders(line, estimates, error));
    }
    return STATUS_OK;
}

/* Looks for longer panels for the steps after the next check; not in the second step, right after the first. */
static enum status lengthen(struct line *line, struct line_choice *choice, const struct estimates *estimates,
                            struct error *error)
{
    if (line->run->resolution > 1.0 || line->run->step.t + 1 == line->run->problem->schedule->T
        || choice->spacing == LINE_MOST_LENGTHENINGS || tuned(line, estimates->interpolation) > estimates->smooth)
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

/* Looks for lower quadrature orders for the steps to come, whose error is added to *after: of panels whose order was
 * not raised in this check. Where rounding hides the error of quadrature, the order below the one taken must be as
 * good. */
static enum status lower_orders(struct line *line, const struct estimates *estimates, struct norms *after,
                                struct error *error)
{
    struct line_probe *probe = &line->probe;
    struct panel *panel = line->before[line->transfer.stage.index].panel;
    size_t reserve = estimates->hidden && line->run->resolution <= 1.0;
    bool any = true;
    for (size_t p = 0; p < probe->panels; p++) {
        probe->panel[p].lowered = 0;
        probe->panel[p].settled = false;
    }
    for (size_t i = 0; i < probe->count; i++)
        probe->own[i] = probe->exact[i];
    for (size_t down = 1; any && down <= LINE_MOST_DESCENT + reserve; down++) {
        any = false;
        for (size_t p = 0; p < probe->panels; p++) {
            struct line_panel_probe *at = &probe->panel[p];
            size_t most = (isfinite(at->before) ? 0 : LINE_MOST_DESCENT) + reserve;
            at->due = !at->settled && down <= most && down <= panel[p].order;
            any |= at->due;
        }
        if (!any)
            break;
        TRY(line_probe_apply(probe, &line->transfer, &line->threads, line->result, down, probe->value, NULL, error));
        line_probe_norms(probe, probe->value, probe->exact);
        for (size_t p = 0; p < probe->panels; p++) {
            struct line_panel_probe *at = &probe->panel[p];
            double share, lower = line_probe_panel_error(probe, p, line->rare, estimates->least, &share);
            bool no_worse = estimates->hidden && lower < LINE_LOWER_NO_WORSE * at->error;
            at->settled |= at->due && !(lower < allowed(line, estimates, LINE_HEADROOM, p, share) || no_worse);
            if (!at->due || at->settled)
                continue;
            at->lowered = down;
            for (size_t i = p * PANEL_PROBES; i < (p + 1) * PANEL_PROBES && down > reserve; i++)
                probe->own[i] = probe->value[i];
        }
    }
    for (size_t p = 0; p < probe->panels; p++)
        if (probe->panel[p].lowered >= reserve || panel[p].order < TRANSFER_HIGHEST_ORDER)
            panel[p].order = panel[p].order + reserve - probe->panel[p].lowered;
    (void)raise_empty(probe, &line->before[line->transfer.stage.index]);
    *after = norms_sum(*after, line_probe_norms(probe, probe->own, probe->exact));
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
    TRY(line_set_orders(line, error));
    TRY(line_probe_place(&line->probe, line->result, error));
    TRY(fill_due(line, &estimates, error));
    const struct estimates first = estimates;
    TRY(tighten(line, choice, &estimates, error));
    TRY(estimate_unchanged(line, &unchanged, error));
    TRY(estimate_increments(line, &extrapolated, error));
    TRY(estimate_moved(line, &moved, error));
    if (choice->unchanged || choice->by_increments)
        local->before = local_error(choice->unchanged ? unchanged : extrapolated, &first, true);
    else if (before->count > 0 && !choice->relaid)
        local->before = local_error(norms_sum(first.quadrature, moved), &first, false);
    else
        local->before = local_error(first.total, &first, false);
    TRY(check_probed_mass(line->probe.mass, stage->sampler->name, error));
    TRY(panels_copy(line->result, before, error));
    local->itself = local_error(estimates.total, &estimates, false);
    line->rounding[stage->index] = estimates.rounding;
    double least = stage->deterministic ? tuned(line, estimates.interpolation) : 0.0;
    choice->relaid =
        isfinite(tuned(line, moved)) && tuned(line, moved) > fmax(LINE_RELAY_ABOVE * estimates.smooth, least);
    choice->unchanged = tuned(line, unchanged) < LINE_UNCHANGED_BELOW * estimates.unchanged;
    TRY(take_increments(line, error));
    choice->by_increments = !choice->unchanged && !estimates.hidden && line_increments_can(&line->increments)
                            && tuned(line, extrapolated) < LINE_INCREMENTS_BELOW * estimates.unchanged;
    bool kept = choice->unchanged || choice->by_increments;
    local->after = local_error(choice->unchanged ? unchanged
                               : kept            ? extrapolated
                                                 : estimates.total,
                               &estimates, kept);
    if (!choice->unchanged && !stage->deterministic)
        TRY(lower_orders(line, &estimates, &local->after, error));
    return last ? STATUS_OK : lengthen(line, choice, &estimates, error);
}
