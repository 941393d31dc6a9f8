using System.Net.Http.Headers;

namespace PaDiM.Client;

/// <summary>Makes the requests of scores.</summary>
internal static class ScoreRequests
{
    /// <summary>Creates the request of one image.</summary>
    public static (HttpRequestMessage Request, RequestTraits Traits) Create(
        string category,
        ImageSource image,
        ScoreOptions options,
        string? accept
    )
    {
        ArgumentNullException.ThrowIfNull(image);
        var request = Create(new Query("categories", category, "score"), image.Frame, options);
        request.Content = new SourceContent(image);
        SetName(request, "X-Part-Id", options.PartId);
        if (accept is not null)
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(accept));
        return (request, CreateTraits(options, image.CanSendAgain));
    }

    /// <summary>Creates the request of many images.</summary>
    public static (HttpRequestMessage Request, RequestTraits Traits) CreateBatch(
        string category,
        IReadOnlyList<ImageSource> images,
        ScoreOptions options
    )
    {
        ArgumentNullException.ThrowIfNull(images);
        var frame = images.Count > 0 ? images[0].Frame : null;
        if (images.Any(image => !UploadBatch.HaveSamePixels(image.Frame, frame)))
            throw new ArgumentException("Images of one batch are all files, or pixels of one size.", nameof(images));
        var form = new MultipartFormDataContent();
        foreach (var image in images)
            form.Add(SourceContent.CreatePart(image, "files", image.FileName));
        var request = Create(new Query("categories", category, "score", "batch"), frame, options);
        request.Content = form;
        var traits = CreateTraits(options, images.All(image => image.CanSendAgain));
        return (request, traits with { IsTransfer = options.Deadline is null });
    }

    /// <summary>Creates a request without its body.</summary>
    public static HttpRequestMessage Create(Query path, RawFrame? frame, ScoreOptions options)
    {
        path.With("model", options.Model)
            .With("heatmap", options.Heatmap)
            .With("contours", options.Contours)
            .With("width", frame?.Width)
            .With("height", frame?.Height)
            .With("format", frame?.Format)
            .With("significantBits", options.SignificantBits);
        var request = new HttpRequestMessage(HttpMethod.Post, path.ToString());
        SetName(request, "X-Station-Id", options.StationId);
        SetName(request, "X-Lot-Id", options.LotId);
        SetName(request, "X-Inspection-Id", options.InspectionId ?? Guid.NewGuid().ToString("N"));
        return request;
    }

    public static RequestTraits CreateTraits(ScoreOptions options, bool canSendAgain) =>
        new()
        {
            IsRepeatable = true,
            CanSendAgain = canSendAgain,
            Deadline = options.Deadline,
        };

    /// <summary>Headers hold ASCII; the service keeps question marks for the rest.</summary>
    private static void SetName(HttpRequestMessage request, string header, string? name)
    {
        if (name is not null)
            request.Headers.TryAddWithoutValidation(
                header,
                string.Concat(
                    name.EnumerateRunes().Select(rune => rune.Value is >= ' ' and <= '~' ? rune.ToString() : "?")
                )
            );
    }
}
