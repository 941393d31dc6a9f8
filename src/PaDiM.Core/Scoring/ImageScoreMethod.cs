namespace PaDiM.Core.Scoring;

/// <summary>How the score of an image follows from its map.</summary>
public enum ImageScoreMethod
{
    /// <summary>The largest pixel, as in the paper.</summary>
    Max,

    /// <summary>The mean of the highest 1 % of the pixels that count.</summary>
    Top,
}
