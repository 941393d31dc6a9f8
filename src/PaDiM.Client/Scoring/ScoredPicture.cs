using System.Globalization;

namespace PaDiM.Client;

/// <summary>A picture of a score, as a stream, and the score. Dispose it.</summary>
public sealed class ScoredPicture : IDisposable
{
    private readonly HttpResponseMessage _response;

    internal ScoredPicture(HttpResponseMessage response, Stream content)
    {
        _response = response;
        Content = content;
    }

    /// <summary>Gets the picture, which is read from the network.</summary>
    public Stream Content { get; }

    /// <summary>Gets the media type, such as <c>image/png</c>.</summary>
    public string? MediaType => _response.Content.Headers.ContentType?.MediaType;

    /// <summary>Gets the number of bytes; null if the service does not say.</summary>
    public long? Length => _response.Content.Headers.ContentLength;

    /// <summary>Gets the category whose model scored the image.</summary>
    public string Category => Find("X-Padim-Category") ?? "";

    /// <summary>Gets the version of the model.</summary>
    public int ModelVersion => int.TryParse(Find("X-Padim-Model-Version"), out var version) ? version : 0;

    /// <summary>Gets the score, at least 0.</summary>
    public double Score => FindNumber("X-Padim-Score") ?? double.NaN;

    /// <summary>Gets the threshold: scores at or above it are anomalous.</summary>
    public double Threshold => FindNumber("X-Padim-Threshold") ?? double.NaN;

    /// <summary>Gets how surprising the score would be for a good part, above 0 to 1.</summary>
    public double PValue => FindNumber("X-Padim-P-Value") ?? double.NaN;

    /// <summary>Gets the decision.</summary>
    public Decision Decision => new(Find("X-Padim-Decision") ?? "");

    /// <summary>Gets the identifier of the inspection; null for a version that is not active.</summary>
    public string? InspectionId => Find("X-Inspection-Id");

    /// <summary>Gets the codes of what is unusual about the image, such as <c>too_dark</c>.</summary>
    public IReadOnlyList<string> Warnings =>
        Find("X-Padim-Warnings")?.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>Closes the stream.</summary>
    public void Dispose()
    {
        Content.Dispose();
        _response.Dispose();
    }

    private string? Find(string header) =>
        _response.Headers.TryGetValues(header, out var values) ? string.Join(',', values) : null;

    private double? FindNumber(string header) =>
        double.TryParse(Find(header), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
}
