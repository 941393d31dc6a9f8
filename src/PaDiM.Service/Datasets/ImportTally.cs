using System.IO.Compression;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Images;

namespace PaDiM.Service.Datasets;

/// <summary>What an import has done so far.</summary>
internal sealed class ImportTally
{
    private const int MostListed = 1000;

    private int _normal,
        _anomalous,
        _heldOut,
        _duplicates,
        _rejected;

    public List<RejectedFile> Rejected { get; } = [];

    public Problem? First { get; private set; }

    public int Masks { get; set; }

    public int Ignored { get; set; }

    public int Stored => _normal + _anomalous + _duplicates;

    public void Count(AcceptedImage image, ImageSettings settings)
    {
        if (image.Duplicate)
            _duplicates++;
        else if (image.Label == ImageLabel.Normal)
            _normal++;
        else
            _anomalous++;
        if (!image.Duplicate && settings.HeldOut)
            _heldOut++;
    }

    public void Reject(ZipArchiveEntry entry, Problem problem)
    {
        First ??= problem;
        if (_rejected++ < MostListed)
            Rejected.Add(new RejectedFile(ImageRequest.CleanName(entry.FullName), problem.Code, problem.Detail));
    }

    public ImportResponse Describe() =>
        new(new ImageCounts(_normal, _anomalous, _heldOut), _duplicates, Masks, Ignored, _rejected, Rejected);
}
