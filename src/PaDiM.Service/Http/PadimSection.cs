namespace PaDiM.Service.Http;

/// <summary>The configuration section that every feature's options are bound to.</summary>
internal static class PadimSection
{
    /// <summary>Name of the section.</summary>
    public const string Name = "Padim";

    /// <summary>Binds a feature's options to the section, and validates them when the program starts.</summary>
    public static IServiceCollection AddPadimOptions<TOptions>(this IServiceCollection services)
        where TOptions : class
    {
        services.AddOptions<TOptions>().BindConfiguration(Name).ValidateDataAnnotations().ValidateOnStart();
        return services;
    }
}
