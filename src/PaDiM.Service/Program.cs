using Microsoft.Extensions.Options;
using PaDiM.Onnx.Backbones;
using PaDiM.Service.Categories;
using PaDiM.Service.Fitting;
using PaDiM.Service.Hosting;
using PaDiM.Service.Images;
using PaDiM.Service.Jobs;
using PaDiM.Service.Models;
using PaDiM.Service.Scoring;

try
{
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
    builder.AddOptions();
    builder.AddLogging();
    builder.AddHttp();
    builder.Services.AddStorage();
    builder.Services.AddBackbones();
    builder.Services.AddCategories();
    builder.Services.AddImages();
    builder.Services.AddJobs();
    builder.Services.AddFitting();
    builder.Services.AddModels();
    builder.Services.AddScoring();
    builder.Services.AddOpenApi();

    var app = builder.Build();
    app.UsePipeline();
    app.UseOpenApi();
    var categories = app.MapGroup("/v1/categories");
    var category = categories.MapGroup("{category}").AddEndpointFilter(CategoryName.Filter);
    categories.MapCategories(category);
    category.MapImages();
    category.MapFits();
    category.MapModels();
    category.MapScoring();
    app.MapJobs();
    app.MapSystem();
    app.MapHealth();

    // The default backbone is opened before the first request: a wrong name or a missing device shows now, not on the line.
    app.Services.GetRequiredService<BackboneRegistry>().Open(app.Services.GetRequiredService<IOptions<PadimOptions>>().Value.DefaultBackbone);
    await app.RunAsync();
    return 0;
}
catch (Exception e) when (e is OptionsValidationException or PlatformNotSupportedException or InvalidDataException or KeyNotFoundException or IOException)
{
    await Console.Error.WriteLineAsync($"PaDiM.Service cannot start: {e.Message}");
    return 1;
}
