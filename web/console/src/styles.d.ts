// Style sheets: imported for their effect by the pages, as text by the tests.
declare module "*.css" {
  const text: string;
  export default text;
}
