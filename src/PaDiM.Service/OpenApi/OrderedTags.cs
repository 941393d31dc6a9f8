using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace PaDiM.Service.OpenApi;

/// <summary>Groups of operations in the order in which one meets them.</summary>
internal sealed class OrderedTags : IDocumentFilter
{
    private static readonly (string Name, string Description)[] Known =
    [
        ("Categories", "Kinds of parts to inspect, their settings and thresholds"),
        ("Images", "Images of good parts to fit, of defective ones to evaluate"),
        ("Fitting", "Models out of images"),
        ("Jobs", "Work in the background: progress, events, cancelling"),
        ("Models", "Versions: activation, rollback, export and import"),
        ("Scoring", "Images in, decisions and heatmaps out"),
        ("Evaluation", "Accuracy on labelled images"),
        ("Backbones", "Networks that categories may name"),
        ("Access", "Keys, and who changed what"),
        ("Operations", "Health and what is running"),
    ];

    public void Apply(OpenApiDocument document, DocumentFilterContext context)
    {
        var used = context
            .ApiDescriptions.SelectMany(action =>
                action.ActionDescriptor.EndpointMetadata.OfType<Microsoft.AspNetCore.Http.Metadata.ITagsMetadata>()
            )
            .SelectMany(metadata => metadata.Tags)
            .ToHashSet(StringComparer.Ordinal);
        document.Tags = Known
            .Where(tag => used.Contains(tag.Name))
            .Select(tag => new OpenApiTag { Name = tag.Name, Description = tag.Description })
            .ToHashSet();
    }
}
