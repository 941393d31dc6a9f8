using PaDiM.Core.Calibration;
using PaDiM.Service.Models;

namespace PaDiM.Service.Thresholds;

/// <summary>Scores of parts that are known, beside those that the model was fitted to.</summary>
/// <param name="Good">Good parts of the data set.</param>
/// <param name="ReviewedGood">Inspections that a person called good.</param>
/// <param name="Defects">Defective parts of the data set.</param>
/// <param name="ReviewedDefects">Inspections that a person called defective.</param>
internal sealed record KnownParts(
    IReadOnlyList<double> Good,
    IReadOnlyList<double> ReviewedGood,
    IReadOnlyList<double> Defects,
    IReadOnlyList<double> ReviewedDefects
);

/// <summary>Why a threshold is worth a look.</summary>
internal enum CandidateReason
{
    /// <summary>It is in force.</summary>
    InForce,

    /// <summary>It follows from the false-reject rate.</summary>
    Calibrated,

    /// <summary>It is the highest that misses no known defect.</summary>
    MissesNone,

    /// <summary>It is the highest that misses one, two or three known defects.</summary>
    MissesFew,

    /// <summary>It is the lowest that rejects no known good part.</summary>
    RejectsNone,

    /// <summary>It is half-way between the known good parts and the known defects, which it divides.</summary>
    MiddleOfGap,

    /// <summary>The request names it.</summary>
    Requested,
}

/// <summary>Thresholds, and what they would do with the parts that are known.</summary>
/// <param name="ModelVersion">The version to which all scores and thresholds refer.</param>
/// <param name="Threshold">The threshold in force.</param>
/// <param name="ProposedThreshold">The middle of the gap if the known parts have one, otherwise the highest threshold that
/// misses no known defect; null without known defects.</param>
/// <param name="EvaluationId">The evaluation whose scores count; null if the version was never evaluated.</param>
/// <param name="Confidence">How often the intervals contain the true shares, at least.</param>
/// <param name="Candidates">The thresholds, lowest first.</param>
internal sealed record ThresholdProposal(
    int ModelVersion,
    double Threshold,
    double? ProposedThreshold,
    string? EvaluationId,
    double Confidence,
    IReadOnlyList<ThresholdCandidate> Candidates
)
{
    /// <summary>Known defects that a candidate may miss.</summary>
    private const int MaxMissed = 3;

    /// <summary>Finds the thresholds that are worth a look.</summary>
    public static ThresholdProposal Create(
        CategoryModel model,
        string? evaluationId,
        KnownParts parts,
        double? requested
    )
    {
        var calibration = model.Scorer.Model.Calibration;
        var uncounted = calibration.Uncounted.ToHashSet();
        double[] good = [.. calibration.Scores.Where((_, i) => !uncounted.Contains(i)), .. parts.Good];
        double[] defects = [.. parts.Defects.Concat(parts.ReviewedDefects).Order()];
        var highestGood = good.Concat(parts.ReviewedGood).Max();
        var reasons = new SortedDictionary<double, List<CandidateReason>>();
        Add(model.Threshold, CandidateReason.InForce);
        Add(calibration.GetThreshold(model.FalseRejectRate), CandidateReason.Calibrated);
        double? proposed = null;
        if (defects.Length > 0)
        {
            proposed = defects[0];
            foreach (var score in defects.Distinct().Take(MaxMissed + 1))
            {
                var missed = defects.Count(defect => defect < score);
                if (missed <= MaxMissed)
                    Add(score, missed == 0 ? CandidateReason.MissesNone : CandidateReason.MissesFew);
            }
            if (highestGood < defects[0])
            {
                // Rounding may lead back to a good part.
                proposed = Math.Max(Math.BitIncrement(highestGood), (highestGood + defects[0]) / 2);
                Add(proposed.Value, CandidateReason.MiddleOfGap);
            }
        }
        Add(Math.BitIncrement(highestGood), CandidateReason.RejectsNone);
        if (requested is { } named)
            Add(named, CandidateReason.Requested);
        return new ThresholdProposal(
            model.Version,
            model.Threshold,
            proposed,
            evaluationId,
            BinomialInterval.DefaultConfidence,
            [.. reasons.Select(candidate => Count(candidate.Key, candidate.Value))]
        );

        void Add(double threshold, CandidateReason reason)
        {
            if (!reasons.TryGetValue(threshold, out var known))
                reasons[threshold] = known = [];
            known.Add(reason);
        }

        ThresholdCandidate Count(double threshold, IReadOnlyList<CandidateReason> why)
        {
            int Above(IReadOnlyList<double> scores) => scores.Count(score => score >= threshold);
            var missed = defects.Length - Above(defects);
            var rejected = Above(good);
            return new ThresholdCandidate(
                threshold,
                why,
                new KnownDefects(
                    defects.Length,
                    missed,
                    defects.Length == 0 ? null : BinomialInterval.Create(missed, defects.Length)
                ),
                new KnownGoodParts(
                    good.Length,
                    rejected,
                    BinomialInterval.Create(rejected, good.Length),
                    calibration.GetFalseRejectRate(threshold)
                ),
                new ReviewedGoodParts(parts.ReviewedGood.Count, Above(parts.ReviewedGood))
            );
        }
    }
}

/// <summary>A threshold, and what it would do.</summary>
/// <param name="Threshold">The threshold.</param>
/// <param name="Reasons">Why it is among the candidates.</param>
/// <param name="Defects">Known defects: of the newest evaluation, and by verdict.</param>
/// <param name="GoodParts">Good parts that were not chosen by their score: the images of the model, and good ones of the
/// newest evaluation.</param>
/// <param name="ReviewedGoodParts">Inspections that a person called good. Mostly those are reviewed that were rejected, so
/// they say nothing about the share of all good parts.</param>
internal sealed record ThresholdCandidate(
    double Threshold,
    IReadOnlyList<CandidateReason> Reasons,
    KnownDefects Defects,
    KnownGoodParts GoodParts,
    ReviewedGoodParts ReviewedGoodParts
);

/// <summary>Known defects at a threshold.</summary>
/// <param name="Known">How many there are.</param>
/// <param name="Missed">How many are below the threshold.</param>
/// <param name="MissedRate">Their share, for defects like these; null without known defects.</param>
internal sealed record KnownDefects(int Known, int Missed, BinomialInterval? MissedRate);

/// <summary>Good parts at a threshold.</summary>
/// <param name="Known">How many there are.</param>
/// <param name="Rejected">How many are at or above the threshold.</param>
/// <param name="RejectedRate">Their share.</param>
/// <param name="ExpectedFalseRejectRate">Upper bound of the expected share of rejected good parts, by the leave-one-out
/// scores alone, as in a preview.</param>
internal sealed record KnownGoodParts(
    int Known,
    int Rejected,
    BinomialInterval RejectedRate,
    double ExpectedFalseRejectRate
);

/// <summary>Reviewed good parts at a threshold.</summary>
/// <param name="Known">How many there are.</param>
/// <param name="Rejected">How many are at or above the threshold.</param>
internal sealed record ReviewedGoodParts(int Known, int Rejected);
