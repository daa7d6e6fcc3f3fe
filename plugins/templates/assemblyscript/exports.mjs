// A transform of the compiler: gives functions the names that the world has for them, which are no names in
// AssemblyScript.
const WORLD = "davy:plugin/measure@0.1.0";

export default class {
  afterCompile(module) {
    for (const name of ["describe", "evaluate"]) {
      const found = module.getExport(name);
      if (!found) throw new Error(`the plugin does not export \`${name}\``);
      const { value } = this.binaryen.getExportInfo(found);
      module.removeExport(name);
      module.addFunctionExport(value, `${WORLD}#${name}`);
    }
  }
}
