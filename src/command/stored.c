/* The commands that work on stored results alone: verdict, plot, report. */
#include <argp.h>
#include <stdlib.h>

#include "command/command.h"
#include "command/stored.h"
#include "report/figures.h"
#include "report/report.h"

enum status stored_verdict(const struct evidence *evidence, struct error *error)
{
    struct tables tables;
    enum status status;
    TRY_OR(end, tables_new(evidence, &tables, error));
    TRY_OR(end, report_markdown(&tables, error));
    TRY_OR(end, report_latex(&tables, error));
    TRY_OR(end, report_print(&tables, stdout, error));
end:
    tables_free(&tables);
    return status;
}

enum status stored_report(const struct evidence *evidence, struct error *error)
{
    struct tables tables;
    enum status status;
    TRY_OR(end, tables_new(evidence, &tables, error));
    TRY_OR(end, report_html(&tables, error));
    TRY_OR(end, report_csv(evidence, error));
end:
    tables_free(&tables);
    return status;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    return command_argument(key, argument, state, state->input, "RESULT",
                            " A results directory or the merged .h5 file in it");
}

static int run_stored(int argc, char **argv, const struct argp *argp,
                      enum status (*work)(const struct evidence *evidence, struct error *error))
{
    const char *path = NULL;
    (void)argp_parse(argp, argc, argv, 0, NULL, &path);
    struct error error = {STATUS_OK, ""};
    struct evidence evidence;
    enum status status;
    TRY_OR(end, evidence_read(path, claim_names(), &evidence, &error));
    status = work(&evidence, &error);
end:
    evidence_free(&evidence);
    return status == STATUS_OK ? EXIT_OK : command_fail(&error);
}

#define ARGP(doc) \
    { \
        NULL, parse, "RESULT", doc, NULL, NULL, NULL \
    }

static const struct argp verdict_argp =
    ARGP("Judge the claims of a stored result: print the table, write it beside the result as verdict.md, with all "
         "other tables, and as verdict.tex (LaTeX, booktabs).\vExample:\n  diffrate verdict results/scaling");
static const struct argp plot_argp = ARGP("Draw the figures of a stored result beside it: NAME.svg, NAME.png and "
                                          "their data NAME.tsv.\vExample:\n  diffrate plot results/scaling");
static const struct argp report_argp =
    ARGP("Write report.html beside a stored result: claims, figures, what was censored or failed, spec, provenance "
         "and how to reproduce it in one file; and cells.csv, every column of every measurement with 17 significant "
         "digits. Figures are those that lie there (diffrate plot).\vExample:\n  diffrate report results/scaling");

static int run_verdict(int argc, char **argv)
{
    return run_stored(argc, argv, &verdict_argp, stored_verdict);
}

static int run_plot(int argc, char **argv)
{
    return run_stored(argc, argv, &plot_argp, figures_draw);
}

static int run_report(int argc, char **argv)
{
    return run_stored(argc, argv, &report_argp, stored_report);
}

const struct command command_verdict = {"verdict", "judge the claims of a stored result", &verdict_argp, run_verdict};
const struct command command_plot = {"plot", "draw the figures of a stored result", &plot_argp, run_plot};
const struct command command_report = {"report", "write a stored result's report.html", &report_argp, run_report};
