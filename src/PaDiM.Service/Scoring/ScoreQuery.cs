using Microsoft.AspNetCore.Mvc;
using PaDiM.Imaging;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Http;

namespace PaDiM.Service.Scoring;

/// <summary>Represents the query of a request to score.</summary>
/// <param name="Model">The version to score with; null for the active one.</param>
/// <param name="Heatmap">The heatmap to draw.</param>
/// <param name="Contours">Whether regions have contours.</param>
/// <param name="Width">Pixels across, for raw pixels.</param>
/// <param name="Height">Pixels down, for raw pixels.</param>
/// <param name="Format">Samples of one pixel, for raw pixels.</param>
/// <param name="SignificantBits">Bits that count in samples of more than 8 bits; null for those of the model.</param>
internal sealed record ScoreQuery(
    [property: FromQuery(Name = "model")] int? Model,
    [property: FromQuery(Name = "heatmap")] Choice<HeatmapStyle>? Heatmap,
    [property: FromQuery(Name = "contours")] bool? Contours,
    [property: FromQuery(Name = "width")] int? Width,
    [property: FromQuery(Name = "height")] int? Height,
    [property: FromQuery(Name = "format")] Choice<PixelFormat>? Format,
    [property: FromQuery(Name = "significantBits")] int? SignificantBits
)
{
    /// <summary>Gets what is wanted besides the score.</summary>
    /// <param name="mediaType">The type of the answer; a picture is an overlay unless the query says otherwise.</param>
    public ScoreDetails GetDetails(string mediaType) =>
        new(
            Heatmap?.Value ?? (ScoreAnswers.IsPicture(mediaType) ? HeatmapStyle.Overlay : null),
            ScoreAnswers.GetFormat(mediaType),
            Contours ?? false
        );
}
