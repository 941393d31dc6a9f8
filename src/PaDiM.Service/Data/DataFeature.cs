using System.Diagnostics.Metrics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using PaDiM.Engine.Machine;
using PaDiM.Service.Http;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Data;

/// <summary>The data directory, the database and the stored files.</summary>
internal static class DataFeature
{
    public static IServiceCollection AddData(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddPadimOptions<DataOptions>();
        services.AddSingleton<DataDirectory>().AddSingleton<DiskSpace>().AddSingleton<BlobStore>();
        services.AddPadimOptions<ObjectOptions>().AddSingleton(CreateObjectStore);
        services.AddSingleton<LinePatience>().AddSingleton(CreateEngine);
        services.AddSingleton<IDbContextFactory<PadimDbContext>>(provider =>
            provider.GetRequiredService<IDatabaseEngine>()
        );
        services.AddSingleton(MachineIdentity.Current).AddSingleton<MachineLease>();
        services.AddHostedService(provider => provider.GetRequiredService<MachineLease>());
        return services.AddSingleton<Database>().AddSingleton<ChangeFeed>().AddHostedService<ChangeListener>();
    }

    private static IDatabaseEngine CreateEngine(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<DataOptions>>().Value.Database.Provider == DatabaseProvider.PostgreSql
            ? ActivatorUtilities.CreateInstance<PostgresEngine>(provider)
            : ActivatorUtilities.CreateInstance<SqliteEngine>(provider);

    private static IObjectStore CreateObjectStore(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<ObjectOptions>>().Value;
        var data = provider.GetRequiredService<DataDirectory>();
        var time = provider.GetRequiredService<TimeProvider>();
        return options.ObjectStore == ObjectStoreKind.S3
            ? new S3Objects(
                options,
                data.Copies,
                provider.GetRequiredService<IMeterFactory>(),
                time,
                provider.GetRequiredService<ILogger<S3Objects>>()
            )
            : new DiskObjects(data.Root, time);
    }
}
