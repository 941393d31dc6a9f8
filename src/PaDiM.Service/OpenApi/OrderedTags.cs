using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace PaDiM.Service.OpenApi;

/// <summary>Orders the operation groups in the order of a typical workflow.</summary>
internal sealed class OrderedTags : IDocumentFilter
{
    private static readonly (string Name, string Description)[] Known =
    [
        ("Categories", "Products to inspect, their settings and thresholds"),
        ("Images", "Images of good parts for fits and of defective parts for evaluations"),
        ("Fitting", "Fit models to images"),
        ("Jobs", "Background work: progress, events, cancellation"),
        ("Models", "Versions: activation, rollback, export and import"),
        ("Scoring", "Score images: decisions and heatmaps"),
        ("Inspections", "What was inspected: the ledger, photographs, verdicts"),
        ("Learning", "Learn good inspections, try candidates beside the line, and look back"),
        ("Sinks", "Send every inspection on: webhooks, MQTT and folders, with their dead letters"),
        ("Evaluation", "Accuracy on labelled images"),
        ("Backbones", "Backbones that categories may use"),
        ("Access", "Keys and the audit trail"),
        ("Operations", "Health and system information"),
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
