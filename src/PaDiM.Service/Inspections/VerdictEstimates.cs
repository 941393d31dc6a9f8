using PaDiM.Core.Calibration;
using PaDiM.Service.Data;

namespace PaDiM.Service.Inspections;

/// <summary>
/// Shares over several decisions. The share of all parts that have a decision, and the share of good ones among them, have
/// an exact interval each, with so much confidence (Bonferroni, 1936) that all of them hold together as often as stated.
/// Whatever the true shares are within them, the combined share lies between the two extremes.
/// </summary>
internal static class VerdictEstimates
{
    /// <summary>Estimates the share of good parts that are rejected.</summary>
    public static FalseRejects GetFalseRejects(IReadOnlyList<ReviewedDecision> decisions)
    {
        Decision[] assumed =
        [
            .. decisions
                .Where(d => d is { Decision: not Decision.Anomalous, Inspections: > 0, GoodShare: null })
                .Select(d => d.Decision),
        ];
        var rejects = decisions.Single(d => d.Decision == Decision.Anomalous);
        return new FalseRejects(
            rejects is { Inspections: > 0, GoodShare: null }
                ? null
                : GetShare(decisions, Decision.Anomalous, d => d.Good, isAssumed: true),
            assumed
        );
    }

    /// <summary>Estimates the share of defective parts that are taken for normal.</summary>
    public static Escapes GetEscapes(IReadOnlyList<ReviewedDecision> decisions)
    {
        var normal = decisions.Single(d => d.Decision == Decision.Normal);
        return new Escapes(
            normal.GoodShare is null ? null : BinomialInterval.Create(normal.Defective, normal.Good + normal.Defective),
            decisions.Any(d => d is { Inspections: > 0, GoodShare: null }) || decisions.All(d => d.Defective == 0)
                ? null
                : GetShare(decisions, Decision.Normal, d => d.Defective, isAssumed: false)
        );
    }

    /// <summary>Estimates which share of the parts of one kind has a decision.</summary>
    /// <param name="decisions">All decisions.</param>
    /// <param name="wanted">The decision.</param>
    /// <param name="count">Gets the reviewed parts of that kind.</param>
    /// <param name="isAssumed">Whether parts of a decision that is not reviewed are all of that kind; otherwise they may
    /// be.</param>
    private static BinomialInterval? GetShare(
        IReadOnlyList<ReviewedDecision> decisions,
        Decision wanted,
        Func<ReviewedDecision, long> count,
        bool isAssumed
    )
    {
        var total = decisions.Sum(d => d.Inspections);
        var used = decisions.Where(d => d.Inspections > 0 || d.Decision == wanted).ToArray();
        if (total == 0)
            return null;
        var confidence = 1 - (1 - BinomialInterval.DefaultConfidence) / (2 * used.Length);
        var inside = new BinomialInterval(0, 0, 0);
        var outside = inside;
        foreach (var decision in used)
        {
            var decided = BinomialInterval.Create(decision.Inspections, total, confidence);
            var reviewed = decision.Good + decision.Defective;
            var kind =
                reviewed > 0 ? BinomialInterval.Create(count(decision), reviewed, confidence)
                : decision.Decision == wanted || !isAssumed ? new BinomialInterval(0, 0, 1)
                : new BinomialInterval(1, 1, 1);
            ref var sum = ref decision.Decision == wanted ? ref inside : ref outside;
            sum = new BinomialInterval(
                sum.Estimate + decided.Estimate * kind.Estimate,
                sum.Low + decided.Low * kind.Low,
                sum.High + decided.High * kind.High
            );
        }
        static double Divide(double part, double rest) => part == 0 ? 0 : part / (part + rest);
        return inside.Estimate + outside.Estimate == 0
            ? null
            : new BinomialInterval(
                Divide(inside.Estimate, outside.Estimate),
                Divide(inside.Low, outside.High),
                Divide(inside.High, outside.Low)
            );
    }
}
