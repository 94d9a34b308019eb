// The runtime looks for a type of exactly this name, in no namespace, in the assembly that DOTNET_STARTUP_HOOKS names.
internal static class StartupHook
{
    /// <summary>Runs before the program's own Main.</summary>
#if FAULTS_COMPILED_IN
    [System.Runtime.CompilerServices.ModuleInitializer]
#endif
    public static void Initialize() => Archiver.Testing.ProcessFault.Install();
}
