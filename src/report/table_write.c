#define _GNU_SOURCE /* wcswidth */
#include <errno.h>
#include <libsmartcols.h>
#include <string.h>
#include <wchar.h>

#include "core/text.h"
#include "report/table.h"

static const struct table_column *column_of(const struct table_view *view, size_t column)
{
    return &view->table->column[view->column[column]];
}

/* ---- Terminal ---- */

static enum status cannot_write(struct error *error)
{
    return fail_with(error, STATUS_IO, "cannot write a table: %s", strerror(errno));
}

enum status table_print(struct table_view view, FILE *file, struct error *error)
{
    struct libscols_table *output = scols_new_table();
    bool bad = output == NULL;
    for (size_t c = 0; c < view.columns && !bad; c++) {
        const struct table_column *column = column_of(&view, c);
        bad = scols_table_new_column(output, column->heading, 0, column->align == RIGHT ? SCOLS_FL_RIGHT : 0) == NULL;
    }
    for (size_t r = 0; r < view.rows && !bad; r++) {
        struct libscols_line *line = scols_table_new_line(output, NULL);
        bad = line == NULL;
        for (size_t c = 0; c < view.columns && !bad; c++)
            bad = scols_line_set_data(line, c, table_at(&view, r, c)->text) != 0;
    }
    if (!bad) {
        (void)scols_table_set_stream(output, file);
        (void)scols_table_set_termforce(output, SCOLS_TERMFORCE_NEVER); /* never cut to the terminal's width */
        bad = scols_print_table(output) != 0;
    }
    scols_unref_table(output);
    if (ferror(file))
        return cannot_write(error);
    return bad ? fail_with(error, STATUS_MEMORY, "out of memory for printing a table") : STATUS_OK;
}

static size_t width_of(const char *text)
{
    wchar_t wide[256];
    size_t count = mbstowcs(wide, text, sizeof wide / sizeof wide[0]);
    int width = count < sizeof wide / sizeof wide[0] ? wcswidth(wide, count) : -1;
    return width >= 0 ? (size_t)width : strlen(text);
}

/* row: of a view of all columns; SIZE_MAX: the headings. */
static void print_row(const struct table_view *view, const size_t *width, size_t row, FILE *file)
{
    for (size_t c = 0; c < view->columns; c++) {
        const char *text = row == SIZE_MAX ? column_of(view, c)->heading : table_at(view, row, c)->text;
        size_t found = width_of(text), blanks = width[c] > found ? width[c] - found : 0;
        int last = c + 1 == view->columns, right = column_of(view, c)->align == RIGHT;
        fprintf(file, "%*s%s%*s", right ? (int)blanks : 0, "", text, right || last ? 0 : (int)blanks, "");
        fputc(last ? '\n' : ' ', file);
    }
}

static void widen(size_t *width, const char *text)
{
    size_t found = width_of(text);
    *width = *width > found ? *width : found;
}

enum status table_print_rows(struct table *table, size_t *width, int with_headings, FILE *file, struct error *error)
{
    const struct table_view view = table_all(table);
    for (size_t c = 0; c < view.columns; c++) {
        widen(&width[c], column_of(&view, c)->heading);
        for (size_t r = 0; r < view.rows && c + 1 < view.columns; r++)
            widen(&width[c], table_at(&view, r, c)->text);
    }
    if (with_headings)
        print_row(&view, width, SIZE_MAX, file);
    for (size_t r = 0; r < view.rows; r++)
        print_row(&view, width, r, file);
    table_free(table);
    return fflush(file) == 0 && !ferror(file) ? STATUS_OK : cannot_write(error);
}

/* ---- Markdown ---- */

/* A bar would end the cell. */
static void markdown_cell(const char *text, enum table_align align, FILE *file)
{
    fputs("| ", file);
    if (align == QUOTED)
        text_put_markdown(file, text);
    else
        for (; *text != '\0'; text++)
            fprintf(file, *text == '|' ? "\\|" : "%c", *text);
    fputc(' ', file);
}

void table_markdown(struct table_view view, FILE *file)
{
    for (size_t c = 0; c < view.columns; c++)
        fprintf(file, "| %s ", column_of(&view, c)->heading);
    fputs("|\n", file);
    for (size_t c = 0; c < view.columns; c++)
        fputs(column_of(&view, c)->align == RIGHT ? "|---:" : "|---", file);
    fputs("|\n", file);
    for (size_t r = 0; r < view.rows; r++) {
        for (size_t c = 0; c < view.columns; c++)
            markdown_cell(table_at(&view, r, c)->text, column_of(&view, c)->align, file);
        fputs("|\n", file);
    }
}

/* ---- LaTeX ---- */

void table_latex(struct table_view view, FILE *file)
{
    fputs("\\begin{tabular}{@{}", file);
    for (size_t c = 0; c < view.columns; c++)
        fputc(column_of(&view, c)->align == RIGHT ? 'r' : 'l', file);
    fputs("@{}}\n\\toprule\n", file);
    for (size_t c = 0; c < view.columns; c++) {
        fputs(c > 0 ? " & " : "", file);
        text_put_latex(file, column_of(&view, c)->heading);
    }
    fputs(" \\\\\n\\midrule\n", file);
    for (size_t r = 0; r < view.rows; r++) {
        for (size_t c = 0; c < view.columns; c++) {
            fputs(c > 0 ? " & " : "", file);
            text_put_latex(file, table_at(&view, r, c)->text);
        }
        fputs(" \\\\\n", file);
    }
    fputs("\\bottomrule\n\\end{tabular}", file);
}

/* ---- Comma-separated values ---- */

static void csv_value(const char *text, FILE *file)
{
    if (text[strcspn(text, ",\"\r\n")] == '\0') {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text != '\0'; text++)
        fprintf(file, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', file);
}

void table_csv_rows(struct table *table, int with_headings, FILE *file)
{
    for (size_t c = 0; c < table->columns && with_headings; c++) {
        fputs(c > 0 ? "," : "", file);
        csv_value(table->column[c].heading, file);
    }
    fputs(with_headings ? "\r\n" : "", file);
    for (size_t i = 0; i < table->cells; i++) {
        csv_value(table->cell[i].text, file);
        fputs((i + 1) % table->columns > 0 ? "," : "\r\n", file);
    }
    table_free(table);
}

/* ---- HTML ---- */

/* Signs that stand before a number, which no line may end on. */
static const char *const signs[][2] = {{"<=", "≤"}, {">=", "≥"}, {"≤", "≤"}, {"≥", "≥"}, {"±", "±"}};
enum { SIGNS = sizeof signs / sizeof signs[0] };

static size_t sign_at(const char *text)
{
    size_t i = 0;
    while (i < SIGNS && strncmp(text, signs[i][0], strlen(signs[i][0])) != 0)
        i++;
    return i;
}

void html_words(FILE *file, const char *text)
{
    char part[1300];
    while (*text != '\0') {
        size_t length = 0, sign;
        while (text[length] != '\0' && length + 1 < sizeof part && sign_at(text + length) == SIGNS)
            length++;
        memcpy(part, text, length);
        part[length] = '\0';
        text_put_html(file, part);
        text += length;
        sign = sign_at(text);
        if (sign == SIGNS)
            continue;
        fputs(signs[sign][1], file);
        text += strlen(signs[sign][0]);
        if (*text == ' ') {
            fputs("&nbsp;", file);
            text++;
        }
    }
}

void html_verdict(FILE *file, enum table_kind kind, const char *words)
{
    static const struct {
        const char *class, *sign;
    } looks[] = {[TABLE_GOOD] = {"good", "✓"}, [TABLE_OPEN] = {"open", "?"}, [TABLE_BAD] = {"bad", "✗"}};
    fprintf(file, "<span class=\"badge %s\">%s ", looks[kind].class, looks[kind].sign);
    html_words(file, words);
    fputs("</span>", file);
}

static void html_cell(const struct table_view *view, size_t row, size_t column, FILE *file)
{
    static const char *const starts[] = {[LEFT] = "<td>",
                                         [RIGHT] = "<td class=\"n\">",
                                         [WRAPPED] = "<td class=\"text\">",
                                         [QUOTED] = "<td class=\"text\">",
                                         [ROW_NAME] = ""};
    const struct table_cell *cell = table_at(view, row, column);
    enum table_align align = column_of(view, column)->align;
    fputs(starts[align], file);
    if (align == ROW_NAME)
        fprintf(file, "<th scope=\"row\"><a href=\"%s%s%s\">", view->table->anchor, cell->text,
                view->table->anchor_end != NULL ? view->table->anchor_end : "");
    if (cell->kind <= TABLE_NOTHING)
        html_words(file, cell->text);
    else
        html_verdict(file, cell->kind, cell->text);
    fputs(align == ROW_NAME ? "</a></th>" : "</td>", file);
}

void table_html(struct table_view view, FILE *file)
{
    fputs("<div class=\"wide\" tabindex=\"0\"><table><thead><tr>", file);
    for (size_t c = 0; c < view.columns; c++) {
        fputs(column_of(&view, c)->align == RIGHT ? "<th class=\"n\">" : "<th>", file);
        html_words(file, column_of(&view, c)->heading);
        fputs("</th>", file);
    }
    fputs("</tr></thead><tbody>\n", file);
    for (size_t r = 0; r < view.rows; r++) {
        fputs(view.has_total && r + 1 == view.rows ? "<tr class=\"all\">" : "<tr>", file);
        for (size_t c = 0; c < view.columns; c++)
            html_cell(&view, r, c, file);
        fputs("</tr>\n", file);
    }
    fputs("</tbody></table></div>\n", file);
}
