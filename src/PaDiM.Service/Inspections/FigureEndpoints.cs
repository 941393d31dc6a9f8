using PaDiM.Service.Categories;
using PaDiM.Service.Http;
using PaDiM.Service.Models;

namespace PaDiM.Service.Inspections;

/// <summary>Figures and exports below <c>/v1/inspections</c>.</summary>
internal static class FigureEndpoints
{
    private static readonly TimeSpan DefaultSpan = TimeSpan.FromDays(30),
        DefaultSpanOfHours = TimeSpan.FromDays(7);

    public static void MapFigures(this RouteGroupBuilder inspections)
    {
        inspections
            .MapGet("summary", SummariseAsync)
            .WithName("GetInspectionSummary")
            .WithSummary("Counts inspections per hour, shift or day")
            .WithDescription(
                "Parts, rejects, p-values and drift of a category. The last 30 days by default, or 7 by hour; 400 spans at most."
            )
            .Produces<SummaryResponse>();
        inspections
            .MapGet("pareto", MapAsync)
            .WithName("GetInspectionPareto")
            .WithSummary("Counts where on the photograph defects fall")
            .Produces<ParetoResponse>();
        inspections
            .MapGet("verdicts", CountVerdictsAsync)
            .WithName("GetVerdictFigures")
            .WithSummary("Estimates false rejects and escapes from verdicts")
            .WithDescription(
                "The last 30 days by default. The parts of a decision that have a verdict stand for the others of that "
                    + "decision, as if they had been chosen at random; a decision without verdicts stays unknown. Intervals "
                    + "are exact (Clopper-Pearson)."
            )
            .Produces<VerdictFiguresResponse>();
        inspections
            .MapGet("export", ExportAsync)
            .WithName("ExportInspections")
            .WithSummary("Exports inspections, oldest first")
            .WithDescription(
                "With the filters of the list. In CSV, a text that a spreadsheet would take for a formula has an "
                    + "apostrophe before it."
            )
            .Produces<byte[]>(
                StatusCodes.Status200OK,
                InspectionExport.GetMediaType(InspectionFormat.Csv),
                InspectionExport.GetMediaType(InspectionFormat.Jsonl),
                InspectionExport.GetMediaType(InspectionFormat.Parquet)
            );
    }

    private static async Task<IResult> SummariseAsync(
        InspectionFigures figures,
        TimeProvider time,
        CancellationToken cancellationToken,
        string? category = null,
        Choice<FigureSpan>? by = null,
        DateTimeOffset? from = null,
        DateTimeOffset? to = null,
        string? timeZone = null,
        string? shifts = null
    )
    {
        if (CheckCategory(category) is { } badCategory)
            return badCategory;
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(timeZone ?? "UTC", out var zone))
            return Problems.InvalidRequest("timeZone must be a name of the IANA database, such as Europe/Berlin.");
        if (InspectionFigures.ParseShifts(shifts ?? "06:00,14:00,22:00") is not { } starts)
            return Problems.InvalidRequest(
                $"shifts must be up to {InspectionFigures.MaxShifts} local times with commas, such as 06:00,14:00,22:00."
            );
        var usual = by?.Value == FigureSpan.Hour ? DefaultSpanOfHours : DefaultSpan;
        if (!GetSpan(from, to, usual, time).Succeeded(out var asked, out var problem))
            return problem;
        var (start, end) = asked;
        if (
            !InspectionFigures
                .Split(by?.Value ?? FigureSpan.Day, starts, zone, start, end)
                .Succeeded(out var bounds, out problem)
        )
            return problem;
        return TypedResults.Ok(new SummaryResponse(await figures.CountAsync(category!, bounds, cancellationToken)));
    }

    private static async Task<IResult> MapAsync(
        [AsParameters] InspectionQuery query,
        InspectionFigures figures,
        CancellationToken cancellationToken,
        int? grid = null
    )
    {
        if ((CheckCategory(query.Category) ?? query.Validate()) is { } refused)
            return refused;
        if (grid is < InspectionFigures.MinGrid or > InspectionFigures.MaxGrid)
            return Problems.InvalidRequest(
                $"grid must be from {InspectionFigures.MinGrid} to {InspectionFigures.MaxGrid}."
            );
        return TypedResults.Ok(await figures.MapAsync(query, grid ?? InspectionFigures.DefaultGrid, cancellationToken));
    }

    private static async Task<IResult> CountVerdictsAsync(
        VerdictFigures figures,
        CategoryStore categories,
        ModelRegistry models,
        TimeProvider time,
        CancellationToken cancellationToken,
        string? category = null,
        DateTimeOffset? from = null,
        DateTimeOffset? to = null
    )
    {
        if (CheckCategory(category) is { } badCategory)
            return badCategory;
        if (!(await categories.GetAsync(category!, cancellationToken)).Succeeded(out var found, out var problem))
            return problem;
        if (!GetSpan(from, to, DefaultSpan, time).Succeeded(out var span, out problem))
            return problem;
        var isByHand =
            (await models.AcquireAsync(category!, null, cancellationToken)).Succeeded(out var model, out _)
            && !model.Calibrated;
        return TypedResults.Ok(
            await figures.CountAsync(
                category!,
                span.Start,
                span.End,
                isByHand ? null : found.FalseRejectRate,
                cancellationToken
            )
        );
    }

    private static IResult ExportAsync(
        [AsParameters] InspectionQuery query,
        InspectionExport export,
        CancellationToken cancellationToken,
        Choice<InspectionFormat>? format = null
    )
    {
        if ((CheckCategory(query.Category) ?? query.Validate()) is { } refused)
            return refused;
        var chosen = format?.Value ?? InspectionFormat.Csv;
        return TypedResults.Stream(
            stream => export.WriteAsync(query, chosen, stream, cancellationToken),
            InspectionExport.GetMediaType(chosen),
            $"{query.Category}.{Choices.GetName(chosen)}"
        );
    }

    /// <summary>Gets the span of time that a request asks for.</summary>
    private static Outcome<(DateTime Start, DateTime End)> GetSpan(
        DateTimeOffset? from,
        DateTimeOffset? to,
        TimeSpan usual,
        TimeProvider time
    )
    {
        var until = to ?? time.GetUtcNow();
        if (InspectionYears.Validate(from, until) is { } refused)
            return refused;
        var end = until.UtcDateTime;
        var start = from?.UtcDateTime ?? end - usual;
        return start < end ? (start, end) : Problems.InvalidRequest("from must be before to.");
    }

    private static Problem? CheckCategory(string? category) =>
        string.IsNullOrEmpty(category) ? Problems.InvalidRequest("Name the category.")
        : CategoryName.IsValid(category) ? null
        : Problems.InvalidName(category);
}
