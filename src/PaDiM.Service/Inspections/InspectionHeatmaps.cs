using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Admission;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Models;
using PaDiM.Service.Objects;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Inspections;

/// <summary>
/// Reads kept images, and makes their heatmaps and regions again with the model and the threshold of the inspection.
/// </summary>
internal sealed class InspectionHeatmaps(IObjectStore objects, ModelRegistry models, ScoreService scoring)
{
    /// <summary>Gets a kept image as it was received.</summary>
    public async Task<Outcome<byte[]>> ReadImageAsync(StoredInspection row, CancellationToken cancellationToken)
    {
        if (row.ImageBytes is null)
            return Problems.InspectionImageNotKept(row.Id);
        try
        {
            var bytes = await objects.ReadAsync(row.ImageKey, cancellationToken);
            return Engine.Files.FileHash.Compute(bytes) == row.Sha256 ? bytes : Problems.ImageDamaged(row.Sha256);
        }
        catch (FileNotFoundException)
        {
            return Problems.InspectionImageNotKept(row.Id);
        }
    }

    /// <summary>Makes the regions and the heatmap of a kept image, behind what the line sends.</summary>
    /// <param name="row">The inspection.</param>
    /// <param name="style">The heatmap to draw, as PNG; null for none.</param>
    /// <param name="contours">Whether regions have contours.</param>
    /// <param name="cancellationToken">Gives the image up while it waits.</param>
    public async Task<Outcome<InspectionDrawing>> DrawAsync(
        StoredInspection row,
        HeatmapStyle? style,
        bool contours,
        CancellationToken cancellationToken
    )
    {
        if (!(await ReadImageAsync(row, cancellationToken)).Succeeded(out var bytes, out var problem))
            return problem;
        var category = row.DecidedBy ?? row.Category;
        var acquired = await models.AcquireAsync(category, row.ModelVersion, cancellationToken);
        if (!acquired.Succeeded(out var model, out problem))
            return problem;
        // A trial: it counts nowhere, and nothing is refused that was not refused then.
        var then = model with
        {
            Active = false,
            Threshold = row.Threshold,
            ReviewThreshold = null,
            RefuseOn = [],
        };
        var scores = await scoring.ScoreAsync(
            new PartModels(category, [then]),
            KeptLayout.Read(row.Layout, bytes),
            new ScoreDetails(style, PictureFormat.Png, contours),
            Priority.Batch,
            new PartIdentity(row.Part, row.Station, row.Lot, row.Id),
            cancellationToken
        );
        return scores.Succeeded(out var scored, out problem)
            ? new InspectionDrawing(scored.Response.Regions, scored.Response.DefectAreaPercent, scored.Response.Heatmap)
            : problem;
    }
}
