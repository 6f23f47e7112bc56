/** PGlite's data files and the shipped empty database, imported `with { type: "file" }`: each is a path. */
declare module "@electric-sql/pglite/pglite.data" {
  const path: string;
  export default path;
}
declare module "@electric-sql/pglite/pglite.wasm" {
  const path: string;
  export default path;
}
declare module "*.tar.zst" {
  const path: string;
  export default path;
}
