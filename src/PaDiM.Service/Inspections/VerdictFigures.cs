using Microsoft.EntityFrameworkCore;
using PaDiM.Core.Calibration;
using PaDiM.Service.Data;

namespace PaDiM.Service.Inspections;

/// <summary>
/// Estimates false rejects and escapes from verdicts. Only some parts are reviewed, and rejects far more often than
/// others, so each decision is a stratum: the parts of it that have a verdict stand for the rest of it, and for no other.
/// </summary>
internal sealed class VerdictFigures(IDatabaseEngine engine)
{
    /// <summary>Counts inspections and verdicts, and estimates from them.</summary>
    /// <param name="category">The category.</param>
    /// <param name="from">The first moment.</param>
    /// <param name="to">The moment behind the last.</param>
    /// <param name="promised">The false-reject rate that the threshold stands for; null if it stands for none.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    public async Task<VerdictFiguresResponse> CountAsync(
        string category,
        DateTime from,
        DateTime to,
        double? promised,
        CancellationToken cancellationToken
    )
    {
        var first = InspectionKey.FromTime(from);
        var end = InspectionKey.FromTime(to);
        await using var db = engine.CreateLedger();
        var rows = db.Inspections.Where(row => row.Category == category && row.Key >= first && row.Key < end);
        var all = (await InspectionTally.CountAsync(db, category, [from, to], cancellationToken)).Single();
        var said = await rows.Where(row => row.Verdict != null)
            .GroupBy(row => new { row.Decision, row.Verdict })
            .Select(group => new
            {
                group.Key.Decision,
                group.Key.Verdict,
                Count = group.LongCount(),
            })
            .ToListAsync(cancellationToken);
        long Count(Decision decision, Verdict verdict) =>
            said.Where(group => group.Decision == decision && group.Verdict == verdict).Sum(group => group.Count);
        ReviewedDecision[] strata =
        [
            .. Enum.GetValues<Decision>()
                .Select(decision =>
                    ReviewedDecision.Create(
                        decision,
                        all[decision],
                        Count(decision, Verdict.Good),
                        Count(decision, Verdict.Defective),
                        Count(decision, Verdict.Unsure)
                    )
                ),
        ];
        return new VerdictFiguresResponse(
            from,
            to,
            promised,
            BinomialInterval.DefaultConfidence,
            strata,
            VerdictEstimates.GetFalseRejects(strata),
            VerdictEstimates.GetEscapes(strata)
        );
    }
}

/// <summary>What verdicts say about the decisions of a category.</summary>
/// <param name="From">The first moment.</param>
/// <param name="To">The moment behind the last.</param>
/// <param name="PromisedFalseRejectRate">The false-reject rate of the category; null while its threshold is set by
/// hand.</param>
/// <param name="Confidence">How often the intervals contain the true shares, at least.</param>
/// <param name="Decisions">Inspections and verdicts by decision.</param>
/// <param name="FalseRejects">Good parts that were rejected.</param>
/// <param name="Escapes">Defective parts that were taken for normal.</param>
internal sealed record VerdictFiguresResponse(
    DateTime From,
    DateTime To,
    double? PromisedFalseRejectRate,
    double Confidence,
    IReadOnlyList<ReviewedDecision> Decisions,
    FalseRejects FalseRejects,
    Escapes Escapes
);

/// <summary>The inspections with one decision.</summary>
/// <param name="Decision">The decision.</param>
/// <param name="Inspections">How many.</param>
/// <param name="Good">Those that a person called good.</param>
/// <param name="Defective">Those that a person called defective.</param>
/// <param name="Unsure">Those that a person was not sure about; they count as not reviewed.</param>
/// <param name="ReviewedShare">The share that is good or defective by verdict; null without inspections.</param>
/// <param name="GoodShare">Good ones among those; null if there are none.</param>
internal sealed record ReviewedDecision(
    Decision Decision,
    long Inspections,
    long Good,
    long Defective,
    long Unsure,
    double? ReviewedShare,
    BinomialInterval? GoodShare
)
{
    public static ReviewedDecision Create(
        Decision decision,
        long inspections,
        long good,
        long defective,
        long unsure
    ) =>
        new(
            decision,
            inspections,
            good,
            defective,
            unsure,
            inspections == 0 ? null : (double)(good + defective) / inspections,
            good + defective == 0 ? null : BinomialInterval.Create(good, good + defective)
        );
}

/// <summary>Good parts that were rejected.</summary>
/// <param name="Rate">Their share of all good parts; null if no reject is reviewed, or nothing was inspected.</param>
/// <param name="AssumesGood">Decisions of which no part is reviewed, and whose parts are therefore taken for
/// good.</param>
internal sealed record FalseRejects(BinomialInterval? Rate, IReadOnlyList<Decision> AssumesGood);

/// <summary>Defective parts that were taken for normal.</summary>
/// <param name="Rate">Their share of the parts that were taken for normal; null if none of those is reviewed.</param>
/// <param name="Missed">Their share of all defective parts; null unless each decision with inspections is reviewed, and
/// a defective part was found.</param>
internal sealed record Escapes(BinomialInterval? Rate, BinomialInterval? Missed);
