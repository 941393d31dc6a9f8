using Microsoft.EntityFrameworkCore;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Inspections;

namespace PaDiM.Service.Learning;

/// <summary>
/// Copies photographs of good inspections into the training set of their category, through the same door as uploads: each
/// is decoded, and equal pictures count once.
/// </summary>
internal sealed class LearntImages(
    InspectionStore inspections,
    InspectionHeatmaps kept,
    ImageStore images,
    ImageDecoder decoder,
    IDbContextFactory<PadimDbContext> contexts
)
{
    private const string Prefix = "inspection-";

    /// <summary>Finds the inspections of a query that are not learnt yet, oldest first, and whether there are more.</summary>
    public async Task<(List<StoredInspection> Rows, bool More)> FindAsync(
        string category,
        LearnQuery query,
        CancellationToken cancellationToken
    )
    {
        var (hashes, names) = await ReadKnownAsync(category, cancellationToken);
        var found = new List<StoredInspection>();
        await foreach (var row in inspections.ReadAsync(query.ToInspections(category), int.MaxValue, cancellationToken))
        {
            // Raw pixels are stored as PNG, with another hash; their name tells.
            if (row.ImageBytes is null || hashes.Contains(row.Sha256) || names.Contains($"{Prefix}{row.Id}"))
                continue;
            if (found.Count == LearnRequest.MaxImages)
                return (found, true);
            found.Add(row);
        }
        return (found, false);
    }

    /// <summary>Copies the photograph of an inspection.</summary>
    public async Task<Outcome<AcceptedImage>> AddAsync(StoredInspection row, CancellationToken cancellationToken)
    {
        if (row.Verdict != Verdict.Good)
            return Problems.VerdictNotGood(row.Id);
        if (!(await kept.ReadImageAsync(row, cancellationToken)).Succeeded(out var bytes, out var problem))
            return problem;
        var file = KeptLayout.Read(row.Layout, bytes);
        var extension =
            file.Layout is null && decoder.TryProbe(bytes, out var header, out _, DecodeOptions.Default)
                ? header.Format.Extension()
                : ImageFormat.Png.Extension();
        return await images.AddAsync(
            row.Category,
            file with
            {
                FileName = $"{Prefix}{row.Id}{extension}",
            },
            new ImageSettings { Label = ImageLabel.Normal },
            cancellationToken
        );
    }

    private async Task<(HashSet<string> Hashes, HashSet<string> Names)> ReadKnownAsync(
        string category,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var known = await db
            .Images.Where(image => image.Category == category)
            .Select(image => new { image.Sha256, image.FileName })
            .ToListAsync(cancellationToken);
        return (
            known.Select(image => image.Sha256).ToHashSet(StringComparer.Ordinal),
            known.Select(image => Path.GetFileNameWithoutExtension(image.FileName)).ToHashSet(StringComparer.Ordinal)
        );
    }
}
